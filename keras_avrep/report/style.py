"""The page's looks; kept in Python so that it travels with the package."""

CSS = """
:root { color-scheme: light dark;
  --page:#fbfbf9; --card:#ffffff; --ink:#1c2126; --soft:#59636e; --rule:#dfe3e6;
  --accent:#0b62a0; --good:#00704d; --bad:#a8470a; --shade:#1c212647;
  --s0:#0b6db0; --s1:#c25400; --s2:#00795a; --s3:#a34b80;
  --c0:#0b6db0; --c1:#d98200; --c2:#00906a; --c3:#c25400; --c4:#b5588f;
  --c5:#3b9fd6; --c6:#8a7a00; --c7:#555b66; --cn:#a7adb3; }
@media (prefers-color-scheme: dark) { :root {
  --page:#14171a; --card:#1c2024; --ink:#e8eaec; --soft:#a3adb6; --rule:#343b42;
  --accent:#79bdf0; --good:#4fd3a4; --bad:#ff9d5c; --shade:#a3adb673;
  --s0:#5bb4ee; --s1:#f2a04a; --s2:#35c795; --s3:#dd93bd;
  --c0:#4a9be0; --c1:#f0b040; --c2:#2fbf92; --c3:#f07a3c; --c4:#dd93bd;
  --c5:#8fd3fa; --c6:#e6dc5a; --c7:#c9ced4; --cn:#6b737b; } }
* { box-sizing:border-box; }
body { margin:0; background:var(--page); color:var(--ink);
  font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif; }
main, header, footer { max-width:1120px; margin:0 auto;
  padding:0 clamp(14px,3vw,32px); }
header { padding-top:34px; }
h1 { font-size:clamp(1.5rem,4vw,2.1rem); line-height:1.2; margin:0 0 4px;
  overflow-wrap:anywhere; }
h2 { font-size:1.3rem; margin:0 0 2px; }
h3 { font-size:1rem; margin:20px 0 6px; overflow-wrap:anywhere; }
.lead, .plain, footer { color:var(--soft); }
.lead { margin:0 0 14px; }
.plain { margin:0 0 14px; max-width:76ch; }
.note { color:var(--soft); font-size:.88rem; max-width:84ch; }
section { padding:26px 0; border-top:1px solid var(--rule); }
nav { display:flex; flex-wrap:wrap; gap:4px 18px; padding:0 0 20px; font-size:.92rem; }
a { color:var(--accent); text-underline-offset:3px; }
.says { margin:0 0 16px; padding:0; list-style:none; }
.says li { padding:8px 14px; margin:6px 0; background:var(--card);
  border:1px solid var(--rule); border-left:4px solid var(--s0); border-radius:6px;
  overflow-wrap:anywhere; }
.grid { display:grid; gap:16px;
  grid-template-columns:repeat(auto-fill,minmax(min(100%,310px),1fr)); }
.pair { display:grid; gap:16px;
  grid-template-columns:repeat(auto-fit,minmax(min(100%,330px),1fr)); }
.card { margin:0; background:var(--card); border:1px solid var(--rule);
  border-radius:8px; padding:12px 14px; min-width:0; }
.pair .card { max-width:560px; }
.card > figcaption, .card > h3 { font-weight:600; margin:0 0 6px; font-size:.95rem; }
.card svg { display:block; width:100%; height:auto; }
.facts { display:flex; flex-wrap:wrap; gap:10px; margin:0 0 14px; padding:0; }
.facts div { background:var(--card); border:1px solid var(--rule); border-radius:8px;
  padding:8px 14px; min-width:104px; max-width:100%; overflow-wrap:anywhere; }
.facts dt { color:var(--soft); font-size:.82rem; }
.facts dd { margin:0; font-size:1.15rem; font-weight:600; overflow-wrap:anywhere; }
.scroll { overflow-x:auto; margin:0 0 14px; border:1px solid var(--rule);
  border-radius:8px; background-color:var(--card);
  background-image:linear-gradient(90deg,var(--card) 40%,transparent),
    linear-gradient(270deg,var(--card) 40%,transparent),
    linear-gradient(90deg,var(--shade),transparent),
    linear-gradient(270deg,var(--shade),transparent);
  background-position:left,right,left,right; background-repeat:no-repeat;
  background-size:44px 100%,44px 100%,18px 100%,18px 100%;
  background-attachment:local,local,scroll,scroll; }
table { border-collapse:collapse; width:100%; font-size:.92rem; }
th, td { text-align:left; padding:7px 12px; border-bottom:1px solid var(--rule);
  vertical-align:top; }
tr:last-child td { border-bottom:0; }
th { color:var(--soft); font-weight:600; white-space:nowrap; }
.num { text-align:right; font-variant-numeric:tabular-nums; white-space:nowrap; }
td:not(.num) { max-width:340px; overflow-wrap:break-word; }
td:has(.wide) { min-width:220px; }
.best { font-weight:700; }
.best::after { content:" ▲"; font-size:.7em; color:var(--good); }
.legend { display:flex; flex-wrap:wrap; gap:2px 14px; margin:6px 0 10px;
  font-size:.85rem; color:var(--soft); }
.key { display:inline-flex; align-items:center; gap:5px; overflow-wrap:anywhere; }
.key svg { display:inline-block; flex:none; width:auto; height:auto; }
svg text { fill:var(--ink); font-size:12px; font-family:inherit; }
svg .faint { fill:var(--soft); font-size:11px; }
svg .value { font-variant-numeric:tabular-nums; }
.axis { stroke:var(--soft); stroke-width:1; fill:none; }
.grid-line { stroke:var(--rule); stroke-width:1; fill:none; }
.chance { stroke:var(--ink); stroke-width:1.6; stroke-dasharray:3 2.5; }
.b0 { fill:var(--s0); stroke:var(--s0); }
.b1 { fill:var(--s1); fill-opacity:.28; stroke:var(--s1); stroke-width:1.4; }
.b2 { fill:var(--s2); stroke:var(--s2); }
.b3 { fill:var(--s3); fill-opacity:.28; stroke:var(--s3); stroke-width:1.4; }
.line, .raw { fill:none; stroke-linejoin:round; }
.line { stroke-width:2.2; } .raw { stroke-width:1; opacity:.28; }
.l0 { stroke:var(--s0); } .l1 { stroke:var(--s1); }
.l2 { stroke:var(--s2); } .l3 { stroke:var(--s3); }
.line.l1 { stroke-dasharray:6 3; } .line.l3 { stroke-dasharray:2 3; }
svg .t0 { fill:var(--s0); } svg .t1 { fill:var(--s1); }
svg .t2 { fill:var(--s2); } svg .t3 { fill:var(--s3); }
.c0 { fill:var(--c0); } .c1 { fill:var(--c1); } .c2 { fill:var(--c2); }
.c3 { fill:var(--c3); } .c4 { fill:var(--c4); } .c5 { fill:var(--c5); }
.c6 { fill:var(--c6); } .c7 { fill:var(--c7); } .cn { fill:var(--cn); }
[class^="c"]:is(circle,path) { fill-opacity:.82; stroke:var(--card); stroke-width:.6; }
details { margin:12px 0; } summary { cursor:pointer; padding:4px 0; font-weight:600;
  overflow-wrap:anywhere; }
.search { display:grid; grid-template-columns:max-content 1fr; gap:6px 18px;
  padding:14px; margin-bottom:14px; }
.found { display:grid; grid-template-columns:84px 1fr; gap:6px 10px;
  align-items:center; margin:0 0 6px; min-width:0; }
.who { font-size:.88rem; font-weight:600; overflow-wrap:anywhere; }
.who small { display:block; color:var(--soft); font-weight:400; }
.strip { display:flex; flex-wrap:wrap; gap:8px; }
/* A name of one word makes its clip wider rather than break. */
.strip .clip { min-width:min-content; max-width:min(100%,180px); }
.strip .clip figcaption { overflow-wrap:break-word; }
.meanings { margin:0 0 12px; padding-left:18px; font-size:.92rem; }
.clip { margin:0; width:128px; font-size:.8rem; line-height:1.3; }
.clip img { display:block; width:100%; height:auto; border-radius:5px;
  background:var(--rule); }
.clip figcaption { padding-top:3px; overflow-wrap:anywhere; color:var(--soft); }
.clip.query { width:150px; }
.clip.query figcaption { color:var(--ink); font-weight:600; }
.clip.hit img { outline:3px solid var(--good); outline-offset:-1px; }
.clip.miss img { outline:3px dashed var(--bad); outline-offset:-1px; opacity:.82; }
.mark { font-weight:700; } .hit .mark { color:var(--good); }
.miss .mark { color:var(--bad); }
.maps { display:grid; gap:10px 12px; margin:0 0 16px;
  grid-template-columns:repeat(var(--columns),minmax(0,1fr)); max-width:900px; }
.maps .clip { width:100%; }
.sounding { display:grid; gap:16px; margin:0 0 16px;
  grid-template-columns:repeat(auto-fill,minmax(min(100%,460px),1fr)); }
.sounding .clip { width:100%; display:grid; gap:4px 8px;
  grid-template-columns:repeat(3,1fr); }
.sounding figcaption { grid-column:1 / -1; }
.heat { position:relative; max-width:300px; height:34px; margin:0 0 16px;
  font-size:.78rem; color:var(--soft); }
.heat .ramp { height:11px; border-radius:3px; border:1px solid var(--rule); }
.heat span { position:absolute; top:13px; } .heat .end { right:0; }
.heat .mid { transform:translateX(-50%); }
.heat .mid::before { content:""; position:absolute; left:50%; top:-15px; height:15px;
  border-left:2px solid var(--ink); }
.share { display:inline-block; vertical-align:middle; height:9px; margin-right:6px;
  width:64px; border-radius:2px; background:var(--rule); overflow:hidden; }
.share i { display:block; height:100%; background:var(--s0); }
.share-text { display:inline-block; min-width:4em; }
.share.s1 i { background:var(--s1); } .share.s2 i { background:var(--s2); }
.share.s3 i { background:var(--s3); }
footer { font-size:.85rem; padding-bottom:40px; }
@media (max-width:560px) {
  .search, .found { grid-template-columns:1fr; }
  .found { gap:2px; } .who small { display:inline; margin-left:6px; }
  .clip { width:calc(33.3% - 6px); } .clip.query { width:50%; }
  .maps { grid-template-columns:repeat(2,minmax(0,1fr)); }
  section { padding:20px 0; } }
@media print { details > * { display:block; } }
"""
