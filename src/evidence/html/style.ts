/** The look of the page. Colours carry meaning: blue works, amber waits for people, green kept, red not. */
export const style = `
:root{color-scheme:light dark;
--paper:#fff;--ground:#f3f4f6;--ink:#17202b;--soft:#566271;--faint:#8a94a1;--rule:#dfe3e8;--hair:#eceff2;
--work:#2d5f94;--work-soft:#a9c1da;--track:#e6eaef;--wait:#c27c0e;--wait-ground:#f6e3bf;
--good:#1d7a50;--good-ground:#e6f3ec;--bad:#b3261e;--bad-ground:#fbeae8;--drill:#6b4fa3}
@media (prefers-color-scheme:dark){:root{
--paper:#151a21;--ground:#0e1217;--ink:#e7ebf0;--soft:#a3adb9;--faint:#76818e;--rule:#2c343e;--hair:#222932;
--work:#6ba2da;--work-soft:#35506d;--track:#252d37;--wait:#e0a444;--wait-ground:#4a3a1b;
--good:#5cc494;--good-ground:#16281f;--bad:#f0857c;--bad-ground:#321b1a;--drill:#b39be6}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums lining-nums;overflow-wrap:anywhere}
main{max-width:1160px;margin:0 auto;background:var(--paper);padding:40px 40px 64px}
h1,h2,h3,p,dl,dd,ul,ol,table,figure{margin:0;padding:0}
h1{font-size:36px;line-height:1.15;font-weight:680;letter-spacing:-.015em}
h2{font-size:19px;line-height:1.3;font-weight:650;letter-spacing:-.005em}
h3,.label,th{font-size:12px;line-height:1.4;font-weight:600;color:var(--soft)}
section{margin-top:44px;padding-top:20px;border-top:1px solid var(--rule)}
.inline th:first-child{width:56px}.inline th:nth-child(4){width:23%}
section>h2+p{color:var(--soft);margin-top:4px;max-width:74ch}
code,.mono{font:12.5px/1.55 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.masthead{display:flex;flex-wrap:wrap;gap:4px 24px;justify-content:space-between;align-items:baseline;padding-bottom:14px;border-bottom:2px solid var(--ink)}
.masthead strong{font-weight:650}
.masthead .mono{color:var(--soft);overflow-wrap:anywhere}
.mode{color:var(--drill);font-weight:650}
.verdict{margin:30px 0 0;padding-left:20px;border-left:6px solid var(--good)}
.verdict.bad{border-color:var(--bad)}
.verdict h1{color:var(--good)}.verdict.bad h1{color:var(--bad)}
.verdict p{font-size:17px;line-height:1.5;margin-top:8px;max-width:72ch}
.verdict p.label{font-size:14px;margin:0 0 4px}
.verdict p.outcome{color:var(--soft);font-size:15px}
.loud{margin-top:24px;padding:14px 0 6px 20px;border-top:0;border-left:6px solid var(--bad)}.loud h2{color:var(--bad)}.loud li:last-child{border-bottom:0}
.facts{display:grid;grid-template-columns:repeat(4,1fr);gap:12px 28px;margin-top:28px}
.facts dd{font-size:15px}
.facts dd small{display:block;font-size:12.5px;color:var(--soft)}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:0 48px}
.pair>section{min-width:0}
.gauge{margin-top:16px}
.gauge .amount{font-size:30px;line-height:1.1;font-weight:650;letter-spacing:-.01em}
.gauge .amount small{font-size:15px;font-weight:400;color:var(--soft);letter-spacing:0}
.gauge .amount.missed{color:var(--bad)}
.meter{position:relative;display:block;height:14px;margin-top:12px;background:var(--track);border-radius:3px;overflow:hidden}
.meter.thin{height:8px;margin-top:0;min-width:72px}
td.level,td.held{vertical-align:middle}th.level,td.level{width:30%;padding-left:24px;padding-right:24px}
.narrow-only{display:none}
.meter i{display:block;float:left;height:100%;min-width:3px;background:var(--work)}
.meter i.before{background:var(--faint)}
.meter i.people{background:var(--wait)}
.meter i.kept{background:var(--good)}
.meter i.missed{background:var(--bad)}
.meter b{position:absolute;top:0;bottom:0;width:2px;background:var(--ink)}
.scale{display:flex;justify-content:space-between;font-size:12px;color:var(--soft);margin-top:4px}
.legend{display:flex;flex-wrap:wrap;gap:4px 20px;font-size:13px;color:var(--soft);margin-top:10px}
.legend span::before{content:"";display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:7px;background:var(--work)}
.legend .before::before{background:var(--faint)}
.legend .people::before{background:var(--wait)}
.legend .other::before{background:var(--work-soft)}
.legend .budget::before{width:2px;height:13px;border-radius:0;background:var(--ink);margin:0 10px -2px 4px}
.legend .gate::before{background:var(--good);transform:rotate(45deg) scale(.85);border-radius:0}
.legend .fault::before{content:"\\00d7";background:none;color:var(--bad);font-weight:700;height:auto}
table{width:100%;border-collapse:collapse;margin-top:12px}
th{text-align:left;padding:6px 16px 6px 0;border-bottom:1px solid var(--rule);vertical-align:bottom}
td{padding:8px 16px 8px 0;border-bottom:1px solid var(--hair);vertical-align:top;overflow-wrap:break-word}
td.head,td .value,td.tool{overflow-wrap:anywhere}th{white-space:nowrap}
table.steps td.head{min-width:172px}td.tool{min-width:130px;max-width:260px}
th:last-child,td:last-child{padding-right:0}
.num{text-align:right;white-space:nowrap}
td.num{font-variant-numeric:tabular-nums}
.nowrap{white-space:nowrap}
.kept{color:var(--good);font-weight:600}.missed{color:var(--bad);font-weight:600}
.block{display:block}.group{margin-top:18px}
.soft{color:var(--soft)}.small{font-size:13px}
.strong{font-weight:600}
.plainlist{list-style:none;margin-top:12px}
.plainlist li{padding:8px 0;border-bottom:1px solid var(--hair)}
.owner{display:block;font-size:13px;color:var(--soft)}
.timeline{display:block;width:100%;height:auto;margin-top:16px;font-family:inherit;overflow:visible}
.timeline.narrow{display:none}
.timeline text{font-size:12.5px;fill:var(--ink);paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}
.timeline .tick,.timeline .note,.timeline .figure{fill:var(--soft);font-size:12px}
.timeline .figure.over{fill:var(--bad);font-weight:600}
.timeline .event-label{font-size:12px;fill:var(--soft)}
.timeline .event-label.no-return,.timeline .event-label.deadline{fill:var(--bad);font-weight:600}
.timeline .event-label.back{fill:var(--good);font-weight:600}
.timeline .grid{stroke:var(--hair)}.timeline .axis{stroke:var(--rule)}
.timeline .event{stroke:var(--faint);stroke-dasharray:2 3}
.timeline .event.no-return,.timeline .event.deadline{stroke:var(--bad);stroke-dasharray:none}
.timeline .event.back{stroke:var(--good);stroke-dasharray:none}
.timeline .link{fill:none;stroke:var(--work);stroke-width:1.25}
.timeline .bar{fill:var(--track)}
.timeline .working{fill:var(--work-soft)}
.timeline .critical .working{fill:var(--work)}
.timeline .critical .name{font-weight:650}
.timeline .failed .name{fill:var(--bad)}
.timeline .wait-ground{fill:var(--wait-ground)}.timeline .wait-line{stroke:var(--wait);stroke-width:3}
.timeline .room{stroke:var(--faint);stroke-dasharray:1 3}
.timeline .budget{stroke:var(--ink);stroke-width:1.5}.timeline .budget.over{stroke:var(--bad)}
.timeline .mark{stroke:var(--paper);stroke-width:1.5;fill:var(--good)}
.timeline .mark.deny,.timeline .mark.abort,.timeline .mark.override,.timeline .mark.skip{fill:var(--bad)}
.timeline .mark.retry,.timeline .mark.hold,.timeline .mark.withdraw{fill:var(--wait)}
.timeline .mark.failed{stroke:var(--bad);stroke-width:2.25;fill:none}
details{margin-top:12px}
summary{cursor:pointer;font-weight:600}
summary:focus-visible{outline:2px solid var(--work);outline-offset:3px}
.saw{display:grid;grid-template-columns:minmax(90px,max-content) 1fr;gap:3px 20px;margin-top:8px;font-size:13.5px}
.saw dt{color:var(--soft)}.saw dd{min-width:0;overflow-wrap:anywhere}
.decision{padding:16px 0;border-bottom:1px solid var(--hair)}
.decision p+p{margin-top:4px}
.ids{columns:auto 400px;column-gap:32px;list-style:none;margin-top:10px}
.ids li{break-inside:avoid;padding:1px 0;overflow-wrap:anywhere}
.ids time{color:var(--soft);margin-left:10px;white-space:nowrap}
.sign{display:grid;grid-template-columns:repeat(3,1fr);gap:28px 32px;margin-top:20px}
.sign div{border-top:1px solid var(--ink);padding-top:6px;font-size:13px;margin-top:34px}
pre{margin:10px 0 0;padding:14px 16px;background:var(--ground);border-radius:4px;white-space:pre-wrap;overflow-wrap:anywhere}
.digest{overflow-wrap:anywhere}
@media screen and (max-width:760px){
main{padding:22px 15px 40px}
h1{font-size:29px}
.verdict,.loud{padding-left:14px}.verdict{margin-top:22px}.verdict p{font-size:16px}
.facts{grid-template-columns:1fr 1fr}
.pair{display:block}
section{margin-top:32px}
.timeline.wide{display:none}.timeline.narrow{display:block}
.ids{columns:1}
.sign{grid-template-columns:1fr}
.saw{grid-template-columns:1fr;gap:0}.saw dd{margin-bottom:6px}
table,tbody,tr,td{display:block;width:100%;min-width:0;max-width:none}table.steps td.head,td.tool{min-width:0;max-width:none}
thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
tr{padding:8px 0;border-bottom:1px solid var(--hair)}
td{border:0;padding:1px 0;display:flex;gap:14px;align-items:baseline;text-align:left}
td.num{text-align:left;white-space:normal}.nowrap{white-space:normal}
td[data-label]::before{content:attr(data-label);flex:0 0 84px;color:var(--soft);font-size:13px;line-height:22px}
td[data-label]:empty{display:none}
td>*{min-width:0}
td>.value{flex:1}
.narrow-only{display:inline}
.measures tr{display:grid;grid-template-columns:1fr auto;gap:0 16px;padding:10px 0}
.measures td.held{grid-column:2;grid-row:1}.measures td.head{grid-column:1;grid-row:1}
.measures td.level{grid-column:1/3;grid-row:2;padding:5px 0;width:auto}.measures td.num{grid-column:1/3}
.meter.thin{width:100%}
.inline tr{display:flex;flex-wrap:wrap;gap:0 14px;padding:10px 0}
.inline td{width:auto;display:block;padding:0;font-size:13.5px}
.inline td.head{order:-1;flex:0 0 100%;font-size:15px}}
@page{size:A4;margin:14mm}
@page wide{size:A4 landscape;margin:12mm}
@media print{
:root{color-scheme:light;--paper:#fff;--ground:#f3f4f6;--ink:#000;--soft:#444;--faint:#888;--rule:#bbb;--hair:#ddd;--work:#2d5f94;--work-soft:#a9c1da;--track:#e6eaef;--wait:#c27c0e;--wait-ground:#f6e3bf;--good:#1d7a50;--bad:#b3261e}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
body{background:none;font-size:9pt}
main{padding:0;max-width:none}
h1{font-size:22pt}h2{font-size:12pt}
section{margin-top:14pt;padding-top:8pt}.verdict{margin-top:16pt}.verdict p{font-size:11pt}.verdict p.outcome{font-size:9pt}
.facts{margin-top:14pt}.facts dd{font-size:9.5pt}.facts dd small,.owner,.small,.legend,.scale,h3,.label,th{font-size:8pt}
td{padding-top:4pt;padding-bottom:4pt}.plainlist li{padding:4pt 0}.decision{padding:8pt 0}code,.mono,.saw{font-size:8pt}
h2,h3,thead{break-after:avoid}
tr,.decision,.plainlist li,.sign,.gauge,pre{break-inside:avoid}
.landscape{page:wide;border-top:0;margin-top:0}
.ids{columns:auto 310px}
.timeline{break-inside:avoid;max-height:152mm}
.timeline.wide{display:block}.timeline.narrow{display:none}
details::details-content{content-visibility:visible;block-size:auto}
summary{list-style:none}
.gauge .amount{font-size:18pt}.gauge .amount small{font-size:9pt}}
`;
