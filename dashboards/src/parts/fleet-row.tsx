// One post on the fleet page.
import type { Figure, PostSummary } from '#contract/view.js';
import type { FlowName, TotalName } from '#domain/flow.js';
import type { Texts } from '#texts/en.js';
import { formatShare, formatValue } from '#texts/format.js';
import { useApp } from '../app.js';
import { judge } from '../model/figure.js';
import { type FleetRow, isWaiting } from '../model/fleet.js';
import { FLOW_UNITS } from '../model/post-flow.js';
import { hashOf } from '../model/route.js';
import { Age } from './age.js';
import { useAlarmTitle } from './alarm-row.js';
import { Badge, FineMark, SilentMark } from './badge.js';
import { Bar } from './bar.js';
import { Honesty, Value } from './reading.js';

/** Figures of a row, in the order of the columns; of several names the first that the post has. */
const CELLS: readonly (readonly [FlowName, ...FlowName[]])[] = [
  ['batterySoc'],
  ['tankFill', 'tankLevel'],
  ['pvPower'],
  ['loadPower'],
  ['pumpPower'],
];
const TOTALS: readonly TotalName[] = ['pvEnergy', 'waterVolume'];

export function FleetRowView({ row }: { row: FleetRow }) {
  const { post } = row;
  return (
    <li class={`post-row ${row.standing}`}>
      <div class="cell who">
        <span class="marks">
          <Mark row={row} />
        </span>
        <div>
          <h3>
            <a class="cover" href={hashOf({ page: 'post', post: post.id })}>
              {post.name}
            </a>
          </h3>
          <RowNotes row={row} />
        </div>
      </div>
      {CELLS.map((names) => {
        const [column] = names;
        const name = names.find((candidate) => post.flows[candidate] !== undefined) ?? column;
        return <FlowCell key={column} column={column} name={name} figure={post.flows[name]} />;
      })}
      <TodayCell post={post} />
      <ContactCell post={post} />
    </li>
  );
}

function Mark({ row }: { row: FleetRow }) {
  if (row.priority !== null) return <Badge priority={row.priority} isWaiting={isWaiting(row)} />;
  return row.standing === 'silent' ? <SilentMark /> : <FineMark />;
}

function RowNotes({ row }: { row: FleetRow }) {
  const { texts } = useApp();
  const titleOf = useAlarmTitle();
  const { fleet: words } = texts.value;
  const { post, alarms } = row;
  const notes = [...new Set(alarms.map(titleOf))];
  if (row.standing === 'silent') notes.push(post.link === 'offline' ? words.offline : words.unknown);
  const asides = [...(post.backfilling ? [words.backfilling] : []), ...(post.registered ? [] : [words.unregistered])];
  return (
    <>
      {notes.length > 0 && <p class="row-alarm">{notes.join(' · ')}</p>}
      {post.alarms.unacknowledged > 0 && <p class="muted small">{words.toAcknowledge(post.alarms.unacknowledged)}</p>}
      {asides.length > 0 && <p class="muted small">{asides.join(' · ')}</p>}
    </>
  );
}

/** The battery's figure here is its charge: one word is enough, and fits a phone. */
function columnName(name: FlowName, texts: Texts): string {
  return name === 'batterySoc' ? texts.deviceKinds.battery : texts.flows[name];
}

/** A figure that no device of the post measures is left blank; one that is measured and not known is a dash with its reason. */
function FlowCell({ column, name, figure }: { column: FlowName; name: FlowName; figure: Figure | undefined }) {
  const { texts, slowNow } = useApp();
  const label = <span class="label">{columnName(column, texts.value)}</span>;
  if (figure === undefined)
    return (
      <div class="cell none">
        {label}
        <span class="sr-only">{texts.value.app.noDevice}</span>
      </div>
    );
  const judged = judge(figure, slowNow.value);
  return (
    <div class="cell">
      {label}
      <Value judged={judged} unit={FLOW_UNITS[name]} />
      {FLOW_UNITS[name] === '%' && <Bar judged={judged} />}
      <Honesty judged={judged} />
    </div>
  );
}

function TodayCell({ post }: { post: PostSummary }) {
  const { texts } = useApp();
  const totals = TOTALS.flatMap((name) => {
    const total = post.today?.totals[name];
    return total === undefined ? [] : [{ name, total }];
  });
  return (
    <div class={`cell today${totals.length === 0 ? ' none' : ''}`}>
      <span class="label">{texts.value.fleet.today}</span>
      {totals.map(({ name, total }) => (
        <span key={name} class="total">
          <span class="sr-only">{texts.value.totals[name]}: </span>
          <span class={`value ${total.value === null ? 'missing' : 'good'}`}>
            {formatValue(total.value, total.unit, texts.value)}
          </span>{' '}
          <span class="muted small">{texts.value.post.coverageShort(formatShare(total.coverage, texts.value))}</span>
        </span>
      ))}
    </div>
  );
}

function ContactCell({ post }: { post: PostSummary }) {
  const { texts } = useApp();
  return (
    <div class="cell contact">
      <span class="label">{texts.value.fleet.contact}</span>
      {post.lastContactAt === null ? (
        texts.value.time.never
      ) : (
        <Age at={post.lastContactAt} zone={post.today?.zone ?? 'UTC'} />
      )}
    </div>
  );
}

/** Names of the columns, for eyes only: every cell carries its own label. */
export function FleetHead() {
  const { texts } = useApp();
  return (
    <div class="post-head" aria-hidden="true">
      <span />
      {CELLS.map(([column]) => (
        <span key={column}>{columnName(column, texts.value)}</span>
      ))}
      <span>{texts.value.fleet.today}</span>
      <span>{texts.value.fleet.contact}</span>
    </div>
  );
}
