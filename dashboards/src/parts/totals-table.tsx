// Energy and water of today and of the month, each with how much of the time was really measured.
import type { Total, Totals } from '#contract/view.js';
import type { TotalName } from '#domain/flow.js';
import { formatDay, formatShare, formatValue } from '#texts/format.js';
import { useApp } from '../app.js';

const ORDER: readonly TotalName[] = [
  'pvEnergy',
  'loadEnergy',
  'gensetEnergy',
  'gridImportEnergy',
  'pumpEnergy',
  'waterVolume',
];

export function TotalsTable({ today, month }: { today: Totals | null; month: Totals | null }) {
  const { texts } = useApp();
  const { post: words, totals: names, fleet } = texts.value;
  const rows = ORDER.filter((name) => today?.totals[name] !== undefined || month?.totals[name] !== undefined);
  if (rows.length === 0) return null;
  return (
    <section>
      <h2>{words.todayAndCoverage}</h2>
      <table class="totals">
        <thead>
          <tr>
            <td />
            <th scope="col">{fleet.today}</th>
            <th scope="col">
              {words.month}
              {month !== null && (
                <span class="muted small">
                  {' '}
                  {texts.value.impact.since(formatDay(month.from, month.zone, texts.value))}
                </span>
              )}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((name) => (
            <tr key={name}>
              <th scope="row">{names[name]}</th>
              <TotalCell total={today?.totals[name]} />
              <TotalCell total={month?.totals[name]} />
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function TotalCell({ total }: { total: Total | undefined }) {
  const { texts } = useApp();
  if (total === undefined) return <td class="value missing">{texts.value.app.none}</td>;
  return (
    <td>
      <span class={`value ${total.value === null ? 'missing' : 'good'}`}>
        {formatValue(total.value, total.unit, texts.value)}
      </span>{' '}
      <span class="muted small">{texts.value.post.coverageShort(formatShare(total.coverage, texts.value))}</span>
    </td>
  );
}
