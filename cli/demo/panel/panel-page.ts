// The demo's panel as HTML: whole without JavaScript; with it, what the product says is fetched again every two seconds.
import type { AlarmView } from '#contract/view.js';
import { IMPACT_STYLE } from '#dashboards/impact/impact-style.js';
import type { Fault, FaultGroup } from '#simulators/fault/fault.js';
import type { Truth } from '#simulators/fault/truth.js';
import { alarmText, textsOf } from '#texts/catalogue.js';
import { faultTextsOf } from '#texts/faults.js';
import { formatTime } from '#texts/format.js';
import { LANGUAGES, type Language } from '#texts/language.js';
import type { Broken } from './broken.js';

const NAMES = { en: 'English', ru: 'Русский', tg: 'Тоҷикӣ' } as const;

const PANEL_STYLE = `
form.order{display:grid;gap:10px;max-width:640px;background:var(--card);border:1px solid var(--edge);border-radius:6px;padding:14px}
label{display:grid;gap:3px}fieldset{border:0;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:4px 18px}
fieldset label{display:flex;gap:6px;align-items:center}legend{padding:0}
select,button{font:inherit;color:inherit;background:var(--page);border:1px solid var(--edge);border-radius:4px;padding:8px 10px;max-width:100%;min-width:0}
button{cursor:pointer}button.main{background:var(--accent);border-color:var(--accent);color:var(--card);font-weight:600}
ul.posts{display:flex;flex-wrap:wrap;gap:6px 18px;list-style:none;padding:0}ul.posts a[aria-current]{font-weight:600;text-decoration:none;color:inherit}
a{color:var(--accent)}table form{margin:0}.problem{border-left:4px solid #b3261e;padding:6px 12px}
.row{display:flex;flex-wrap:wrap;gap:8px 18px;align-items:center}ul.says{padding-left:20px}
`;

/** Fetches what the product says again, while somebody looks. */
export const PANEL_SCRIPT = `const state = document.getElementById('state');
setInterval(async () => {
  if (document.hidden || state.contains(document.activeElement)) return;
  const answer = await fetch(state.dataset.from).catch(() => undefined);
  if (answer?.ok) state.innerHTML = await answer.text();
}, 2000);
`;

export interface PanelPost {
  readonly id: string;
  readonly name: string;
  readonly devices: readonly { readonly id: string; readonly name: string }[];
  readonly groups: readonly { readonly group: FaultGroup; readonly kinds: readonly Fault['kind'][] }[];
}

export interface PanelState {
  readonly post: PanelPost;
  readonly broken: readonly Broken[];
  /** What the demo itself has broken. */
  readonly scripted: readonly Truth[];
  /** What the product says: alarms of the post that are not normal. */
  readonly alarms: readonly AlarmView[];
  /** The product knows that the post has no link. */
  readonly isOffline: boolean;
  readonly zone: string;
}

/** A key of the panel's own words for problems. */
export type PanelProblem = 'needsDevice' | 'unknownKind' | 'tooMany' | 'noDevice';

export interface PanelView extends PanelState {
  readonly posts: readonly PanelPost[];
  readonly language: Language;
  readonly path: string;
  readonly problem?: PanelProblem | undefined;
}

export function renderPanel(view: PanelView): string {
  const { panel: words } = faultTextsOf(view.language);
  const { post, path, language } = view;
  const here = (to: string): string => `${path}?post=${to}&amp;lang=${language}`;
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<title>${safe(words.title)} · Oftob</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<style>${IMPACT_STYLE}${PANEL_STYLE}</style>
<script src="${path}/panel.js" defer></script>
</head>
<body><main>
<nav aria-label="${safe(textsOf(language).app.language)}">${LANGUAGES.map(
    (one) =>
      `<a href="${path}?post=${post.id}&amp;lang=${one}" lang="${one}"${one === language ? ' aria-current="page"' : ''}>${NAMES[one]}</a>`,
  ).join('')}<a href="/">${safe(textsOf(language).impact.dashboards)}</a></nav>
<h1>${safe(words.title)}</h1>
<p>${safe(words.intro)}</p>
<ul class="posts">${view.posts
    .map(
      ({ id, name }) =>
        `<li><a href="${here(id)}"${id === post.id ? ' aria-current="page"' : ''}>${safe(name)}</a></li>`,
    )
    .join('')}</ul>
${view.problem === undefined ? '' : `<p class="problem" role="alert">${safe(words[view.problem])}</p>`}
${renderOrder(view)}
<div id="state" aria-live="polite" data-from="${path}/state?post=${post.id}&amp;lang=${language}">${renderState(view, language, path)}</div>
<p class="row"><a href="/#/posts/${post.id}">${safe(words.seePost)}</a><a href="${here(post.id)}">${safe(words.lookAgain)}</a><a href="${path}/truth.jsonl">${safe(words.truth)}</a></p>
</main></body></html>`;
}

function renderOrder({ post, path, language }: PanelView): string {
  const { panel: words, groups, kinds } = faultTextsOf(language);
  const options = post.groups.map(
    ({ group, kinds: here }) =>
      `<optgroup label="${safe(groups[group])}">${here
        .map((kind) => `<option value="${kind}">${safe(kinds[kind])}</option>`)
        .join('')}</optgroup>`,
  );
  const devices = post.devices.map(({ id, name }) => `<option value="${id}">${safe(name)}</option>`);
  return `<form class="order" method="post" action="${path}/break">
${hidden({ post: post.id, lang: language })}
<label>${safe(words.what)}<select name="kind">${options.join('')}</select></label>
<label>${safe(words.where)}<select name="device"><option value="">${safe(words.wholePost)}</option>${devices.join('')}</select></label>
<fieldset><legend>${safe(words.howBad)}</legend>
<label><input type="radio" name="severity" value="mild">${safe(words.mild)}</label>
<label><input type="radio" name="severity" value="severe" checked>${safe(words.severe)}</label></fieldset>
<div><button class="main">${safe(words.break)}</button></div>
</form>`;
}

/** What is broken, and what the product says: the part that is fetched again. */
export function renderState(state: PanelState, language: Language, path: string): string {
  const { panel: words, kinds } = faultTextsOf(language);
  const texts = textsOf(language);
  const mendForm = (action: string, label: string, more: Record<string, string>): string =>
    `<form method="post" action="${path}/${action}">${hidden({ post: state.post.id, lang: language, ...more })}<button>${safe(label)}</button></form>`;
  const deviceName = (id: string): string => state.post.devices.find((one) => one.id === id)?.name ?? '';
  const rows = [
    ...state.broken.map(({ fault, number, since }) => ({
      what: kinds[fault.kind],
      where: 'device' in fault && fault.device !== undefined ? deviceName(fault.device) : '',
      since: formatTime(since, state.zone),
      does: mendForm('mend', words.mend, { number: String(number) }),
    })),
    ...state.scripted.map(({ what, where, from }) => ({
      what: kinds[what],
      where: deviceName(where),
      since: formatTime(Date.parse(from), state.zone),
      does: `<small>${safe(words.scripted)}</small>`,
    })),
  ];
  const broken =
    rows.length === 0
      ? `<p>${safe(words.nothing)}</p>`
      : `<div class="scroll"><table><tbody>${rows
          .map(
            ({ what, where, since, does }) =>
              `<tr><td>${safe(what)}${where === '' ? '' : `<small>${safe(where)}</small>`}</td><td>${since}</td><td>${does}</td></tr>`,
          )
          .join('')}</tbody></table></div>`;
  const said = state.alarms.map(({ rule, device, since }) => {
    const text = alarmText(texts.alarms, rule);
    const place = [deviceName(device ?? ''), since === null ? '' : formatTime(since, state.zone)].join(' ').trim();
    return `<li><strong>${safe(text?.title ?? rule)}</strong> <small>${safe(place)}</small><br>${safe(text?.action ?? '')}</li>`;
  });
  if (state.isOffline) said.unshift(`<li><strong>${safe(texts.fleet.offline)}</strong></li>`);
  return `<h2>${safe(words.now)}</h2>${broken}
${state.broken.length > 1 ? mendForm('mend-all', words.mendAll, {}) : ''}
<h2>${safe(words.says)}</h2>
${said.length === 0 ? `<p>${safe(words.quiet)}</p>` : `<ul class="says">${said.join('')}</ul>`}`;
}

function hidden(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `<input type="hidden" name="${name}" value="${safe(value)}">`)
    .join('');
}

function safe(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}
