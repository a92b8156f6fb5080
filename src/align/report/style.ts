/** The style sheet of the report: no font, image or script is fetched; light and dark follow the reader's system. */
export const style = `
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --ink: #1c2430; --soft: #667085; --rule: #e3e7ee; --one: #2563eb; --two: #d97706; --good: #15803d; --bad: #b42318; }
@media (prefers-color-scheme: dark) { :root { --page: #0f141b; --card: #171e28; --ink: #e6eaf0; --soft: #93a0b4; --rule: #2a3442; --one: #7aa7ff; --two: #f0b35b; --good: #5fce86; --bad: #ff8a7a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 32px 20px 56px; }
h1 { font-size: 26px; margin: 0 0 4px; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 0 0 12px; }
p { margin: 0 0 10px; } .soft { color: var(--soft); }
section { background: var(--card); border: 1px solid var(--rule); border-radius: 12px; padding: 20px; margin-top: 16px; overflow-x: auto; }
.verdict { border-left: 5px solid var(--bad); } .verdict.yes { border-left-color: var(--good); } .verdict strong { color: var(--bad); } .verdict.yes strong { color: var(--good); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 16px; background: none; border: 0; padding: 0; }
.tiles div { background: var(--card); border: 1px solid var(--rule); border-radius: 12px; padding: 14px 16px; }
.tiles b { display: block; font-size: 24px; font-variant-numeric: tabular-nums; letter-spacing: -0.02em; } .tiles span { color: var(--soft); font-size: 13px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 24px; }
figure { margin: 0; } figcaption { font-weight: 600; font-size: 14px; margin-bottom: 6px; } svg { width: 100%; height: auto; display: block; }
.grid { stroke: var(--rule); } .mark { stroke: var(--soft); stroke-dasharray: 3 4; } .tick { fill: var(--soft); font-size: 11px; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; } .line.one { stroke: var(--one); } .line.two { stroke: var(--two); }
.key { font-size: 13px; color: var(--soft); margin: 6px 0 0; } .key span { margin-right: 16px; } .key .one::before, .key .two::before { content: ""; display: inline-block; width: 14px; height: 3px; border-radius: 2px; margin: 0 6px 3px 0; background: var(--one); } .key .two::before { background: var(--two); }
.map { max-width: 460px; border: 1px solid var(--rule); border-radius: 6px; shape-rendering: crispEdges; } .map rect { fill: var(--one); }
.ramp { display: inline-block; width: 90px; height: 9px; border-radius: 3px; margin: 0 6px !important; background: linear-gradient(90deg, transparent, var(--one)); border: 1px solid var(--rule); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; } th, td { text-align: right; padding: 7px 10px; border-bottom: 1px solid var(--rule); } th { color: var(--soft); font-weight: 600; font-size: 13px; } th:first-child, td:first-child, .left { text-align: left; } tr:last-child td { border-bottom: 0; } td:not(:first-child, .left), th:not(:first-child, .left) { white-space: nowrap; } td { overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 6px 20px; margin: 0; } dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
ul { margin: 8px 0 0; padding-left: 20px; }
`;
