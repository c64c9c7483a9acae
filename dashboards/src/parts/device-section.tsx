// Every value of one device. Its rows are drawn only while somebody looks: a post has some hundreds.
import { useSignal } from '@preact/signals';
import type { Texts } from '#texts/en.js';
import { formatDuration } from '#texts/format.js';
import { metricName } from '#texts/metric-name.js';
import { useApp } from '../app.js';
import type { DeviceValues, ValueRow } from '../model/device-values.js';
import { type Judged, trustWords } from '../model/figure.js';
import { Age } from './age.js';
import { Value } from './reading.js';

export function DeviceSection({ values, zone }: { values: DeviceValues; zone: string }) {
  const { texts } = useApp();
  const isOpen = useSignal(false);
  const { device, rows, notGood, newestAt } = values;
  const { post: words, deviceKinds, meterRoles } = texts.value;
  const kind =
    device.role === undefined ? deviceKinds[device.kind] : `${deviceKinds[device.kind]} (${meterRoles[device.role]})`;
  return (
    <details
      class="device"
      onToggle={(event) => {
        isOpen.value = event.currentTarget.open;
      }}
    >
      <summary>
        <span class="device-name">{device.name ?? device.id}</span>
        <span class="muted">
          {kind}
          {device.model !== undefined && ` · ${device.model}`}
        </span>
        <span class="device-state">
          {notGood > 0 && <span class="bad-count">{words.badValues(notGood)}</span>}
          {newestAt !== null && <Age at={newestAt} zone={zone} />}
        </span>
      </summary>
      {isOpen.value && <DeviceTable rows={rows} zone={zone} />}
      <p class="muted small">
        {device.id} · {words.values(rows.length)} · {words.pollPeriod(formatDuration(device.pollPeriodMs, texts.value))}
        {device.profile !== undefined && ` · ${device.profile}`}
      </p>
    </details>
  );
}

function DeviceTable({ rows, zone }: { rows: readonly ValueRow[]; zone: string }) {
  const { texts } = useApp();
  const { post: words } = texts.value;
  return (
    <table class="values">
      <thead>
        <tr>
          <th scope="col">{words.metric}</th>
          <th scope="col">{words.value}</th>
          <th scope="col">
            {words.age}, {words.quality.toLowerCase()}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <DeviceRow key={row.metric.id} row={row} zone={zone} />
        ))}
      </tbody>
    </table>
  );
}

/** An old value's age stands beside it already. */
function reasonOf(judged: Judged, now: number, texts: Texts): string {
  return judged.trust === 'stale' ? texts.post.stale : trustWords(judged, now, texts);
}

function DeviceRow({ row, zone }: { row: ValueRow; zone: string }) {
  const { texts, slowNow } = useApp();
  const { metric, judged } = row;
  return (
    <tr>
      <th scope="row" title={metric.metric}>
        {metricName(metric.metric, texts.value)}
      </th>
      <td>
        <Value judged={judged} unit={metric.unit} />
      </td>
      <td class={`quality ${judged.trust}`}>
        {judged.at !== null && <Age at={judged.at} zone={zone} />}
        {judged.at !== null && ' · '}
        {judged.trust === 'good' ? texts.value.reasons.good : reasonOf(judged, slowNow.value, texts.value)}
      </td>
    </tr>
  );
}
