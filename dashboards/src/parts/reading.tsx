// A value as it stands on every screen: number, unit, and whatever keeps it from being simply true.
import type { Unit } from '#domain/quantity.js';
import { formatQuantity } from '#texts/format.js';
import { stateWords } from '#texts/metric-name.js';
import { useApp } from '../app.js';
import { type Judged, trustWords } from '../model/figure.js';
import { Age } from './age.js';

/** Number and unit alone, marked where they are not good. */
export function Value({ judged, unit }: { judged: Judged; unit?: Unit | undefined }) {
  const { texts } = useApp();
  const { value, trust } = judged;
  if (value === null) return <span class="value missing">{texts.value.app.none}</span>;
  const quantity =
    typeof value === 'number'
      ? formatQuantity(value, unit, texts.value)
      : { number: stateWords(value, texts.value), unit: '' };
  return (
    <span class={`value ${trust}`}>
      <span class="number">{quantity.number}</span>
      {quantity.unit !== '' && <span class="unit">{`\u00a0${quantity.unit}`}</span>}
      {trust === 'questionable' && (
        <span class="doubt" aria-hidden="true">
          ?
        </span>
      )}
    </span>
  );
}

/** Age of a good value; for any other the reason, with the age where there is one. */
export function Honesty({ judged, zone }: { judged: Judged; zone?: string | undefined }) {
  const { slowNow, texts } = useApp();
  const words = trustWords(judged, slowNow.value, texts.value);
  const age = judged.at === null ? null : <Age at={judged.at} {...(zone !== undefined && { zone })} />;
  if (judged.trust === 'good') return <span class="honesty">{age}</span>;
  return (
    <span class={`honesty ${judged.trust}`}>
      {words}
      {age !== null && judged.trust !== 'stale' && <> · {age}</>}
    </span>
  );
}

/** Label, value, and age or reason, one above the other. */
export function Reading(props: { label: string; judged: Judged; unit?: Unit | undefined; zone?: string | undefined }) {
  return (
    <div class="reading">
      <span class="label">{props.label}</span>
      <Value judged={props.judged} unit={props.unit} />
      <Honesty judged={props.judged} zone={props.zone} />
    </div>
  );
}
