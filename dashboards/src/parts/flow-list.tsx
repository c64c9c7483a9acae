// The figures of the picture as a list: with age and reason, and readable where the picture is not.
import type { PostSummary } from '#contract/view.js';
import type { FlowName } from '#domain/flow.js';
import { formatDuration, formatValue } from '#texts/format.js';
import { useApp } from '../app.js';
import { judge, numberOf } from '../model/figure.js';
import { batteryLeftMs, FLOW_UNITS } from '../model/post-flow.js';
import { unexplainedPower } from '../model/power-balance.js';
import type { Traces } from '../model/trace.js';
import { Reading } from './reading.js';
import { Sparkline } from './sparkline.js';

interface FlowListProps {
  readonly flows: PostSummary['flows'];
  readonly traces: Traces | undefined;
  readonly capacityWh: number | undefined;
  readonly zone: string;
}

export function FlowList({ flows, traces, capacityWh, zone }: FlowListProps) {
  const { texts, slowNow } = useApp();
  const now = slowNow.value;
  const { post: words } = texts.value;
  const rest = unexplainedPower(flows, now);
  const leftMs = batteryLeftMs(flows, capacityWh, now);
  return (
    <ul class="readings">
      {(Object.keys(FLOW_UNITS) as FlowName[]).map((name) => {
        const figure = flows[name];
        if (figure === undefined) return null;
        const judged = judge(figure, now);
        return (
          <li key={name}>
            <Reading label={texts.value.flows[name]} judged={judged} unit={FLOW_UNITS[name]} zone={zone} />
            <Sparkline points={traces?.[name]} />
            {name === 'batteryPower' && <span class="muted small">{batteryWord(numberOf(judged), words)}</span>}
            {name === 'batterySoc' && leftMs !== null && (
              <span class="muted small">{words.hoursToEmpty(formatDuration(leftMs, texts.value))}</span>
            )}
          </li>
        );
      })}
      {rest !== null && (
        <li class="wide">
          <strong>{words.unexplained(formatValue(Math.abs(rest), 'W', texts.value))}</strong>{' '}
          <span class="muted small">{words.unexplainedMeaning}</span>
        </li>
      )}
    </ul>
  );
}

function batteryWord(power: number | null, words: { charging: string; discharging: string; idle: string }): string {
  if (power === null) return '';
  if (Math.abs(power) < 15) return words.idle;
  return power > 0 ? words.discharging : words.charging;
}
