// Every value of one device. Its rows are drawn only while somebody looks: a post has some hundreds.
import { useSignal } from '@preact/signals';
import type { Texts } from '#texts/en.js';
import { formatDuration } from '#texts/format.js';
import { metricName } from '#texts/metric-name.js';
import { useApp } from '../app.js';
import { type DeviceTexts, meaningsOf } from '../model/device-texts.js';
import type { DeviceValues, ValueRow } from '../model/device-values.js';
import { type Judged, trustWords } from '../model/figure.js';
import { Age } from './age.js';
import { Value } from './reading.js';

export function DeviceSection({ values, zone }: { values: DeviceValues; zone: string }) {
  const { texts, wantDeviceTexts } = useApp();
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
        if (device.profile !== undefined && rows.some(hasCodes)) wantDeviceTexts(device.profile);
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
      {isOpen.value && <DeviceTable rows={rows} zone={zone} profile={device.profile} />}
      <p class="muted small">
        {device.id} · {words.values(rows.length)} · {words.pollPeriod(formatDuration(device.pollPeriodMs, texts.value))}
        {device.profile !== undefined && ` · ${device.profile}`}
      </p>
    </details>
  );
}

/** States of these names hold a device's own codes; all others are plain words. */
function hasCodes({ metric }: ValueRow): boolean {
  return /\.(faults|warnings|alarms)$/.test(metric.metric);
}

function DeviceTable(props: { rows: readonly ValueRow[]; zone: string; profile: string | undefined }) {
  const { texts, deviceTexts } = useApp();
  const { rows, zone, profile } = props;
  const { post: words } = texts.value;
  const codes = profile === undefined ? undefined : deviceTexts.value.get(profile);
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
          <DeviceRow key={row.metric.id} row={row} zone={zone} codes={codes} />
        ))}
      </tbody>
    </table>
  );
}

/** An old value's age stands beside it already. */
function reasonOf(judged: Judged, now: number, texts: Texts): string {
  return judged.trust === 'stale' ? texts.post.stale : trustWords(judged, now, texts);
}

function DeviceRow(props: { row: ValueRow; zone: string; codes: DeviceTexts | undefined }) {
  const { texts, slowNow } = useApp();
  const { row, zone, codes } = props;
  const { metric, judged } = row;
  const meanings = meaningsOf(codes, metric.metric, judged.value, texts.value.language);
  return (
    <tr>
      <th scope="row" title={metric.metric}>
        {metricName(metric.metric, texts.value)}
      </th>
      <td>
        <Value judged={judged} unit={metric.unit} />
        {meanings.map(({ code, text, action }) => (
          <p class="small" key={code}>
            <strong>{text}.</strong> <span class="muted">{action}</span>
          </p>
        ))}
      </td>
      <td class={`quality ${judged.trust}`}>
        {judged.at !== null && <Age at={judged.at} zone={zone} />}
        {judged.at !== null && ' · '}
        {judged.trust === 'good' ? texts.value.reasons.good : reasonOf(judged, slowNow.value, texts.value)}
      </td>
    </tr>
  );
}
