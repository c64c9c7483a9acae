/** Stands in the page, so that a saved copy looks the same. Needs `style-src 'unsafe-inline'`; no style attribute is used.
 * Written without quotes and angle brackets, which would be escaped. */
export const IMPACT_STYLE = `
:root{color-scheme:light dark;--page:#f6f4ef;--card:#fffdf8;--text:#22201b;--muted:#645e52;--edge:#ddd6c8;--accent:#8a5a00}
@media (prefers-color-scheme:dark){:root{--page:#24221e;--card:#2d2a25;--text:#ece7dc;--muted:#b3ab9b;--edge:#494439;--accent:#e0b050}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 system-ui,Segoe UI,Roboto,Noto Sans,DejaVu Sans,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:960px;margin:0 auto;padding:20px 16px 48px}
nav{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:.95rem}
nav a{color:inherit}nav a[aria-current]{font-weight:600;text-decoration:none}
nav a:last-child{margin-left:auto}
h1{font-size:1.7rem;line-height:1.2;margin:22px 0 10px}h2{font-size:1.15rem;margin:30px 0 8px}
p{max-width:68ch;margin:0 0 10px}
.muted,small{color:var(--muted)}small{font-size:.82rem}
.big{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:12px;margin:18px 0;padding:0;list-style:none}
.big li{background:var(--card);border:1px solid var(--edge);border-top:4px solid var(--accent);border-radius:6px;padding:12px 14px}
.big strong{display:block;font-size:1.7rem;line-height:1.25}
.big small{display:block}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;background:var(--card)}
th,td{text-align:left;font-weight:400;padding:8px 12px;border:1px solid var(--edge);vertical-align:top}
thead th{color:var(--muted);font-size:.88rem}
td strong{white-space:nowrap}td small{display:block}
@media (max-width:560px){th,td{padding:6px 7px}table{font-size:.9rem}}
@media print{nav{display:none}body{background:#fff;color:#000}tr{break-inside:avoid}thead{display:table-header-group}}
`;
