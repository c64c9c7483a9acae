// What a person can ask of a post's delivery: to send again, and to take a gateway as it is.
import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import type { ReplayCommand } from '#contract/http.js';
import { deliveryTextsOf } from '#texts/delivery.js';
import { useApp } from '../app.js';
import { acceptIdentity, sendReplay } from '../live/api.js';
import { PersonOrder, useDialog } from '../parts/person-order.js';
import { dateOf, daysBack, startOfDate } from './dates.js';

type Order = 'replay' | 'refused' | 'accept';

/** So long a post keeps what the server has confirmed. */
const KEPT_DAYS = 7;

interface DeliveryOrdersProps {
  readonly post: string;
  readonly subject: string;
  readonly zone: string;
  /** Somebody else may be sending in its name. */
  readonly isDoubted: boolean;
}

export function DeliveryOrders({ post, subject, zone, isDoubted }: DeliveryOrdersProps) {
  const { texts } = useApp();
  const words = deliveryTextsOf(texts.value.language);
  const dialog = useDialog();
  const asked = useSignal<Order | null>(null);
  const answer = useSignal('');
  const close = (): void => {
    asked.value = null;
    dialog.close();
  };
  const orders: readonly Order[] = isDoubted ? ['accept', 'replay', 'refused'] : ['replay', 'refused'];
  return (
    <>
      <div class="delivery-orders">
        {orders.map((order) => (
          <button
            key={order}
            type="button"
            onClick={() => {
              answer.value = '';
              asked.value = order;
              dialog.open();
            }}
          >
            {words[order]}
          </button>
        ))}
        <span role="status">{answer.value}</span>
      </div>
      <dialog ref={dialog.ref} onClose={close} aria-label={subject}>
        {asked.value !== null && (
          <OrderForm
            order={asked.value}
            post={post}
            subject={subject}
            zone={zone}
            onCancel={close}
            onDone={(text) => {
              answer.value = text;
              close();
            }}
          />
        )}
      </dialog>
    </>
  );
}

interface OrderFormProps {
  readonly order: Order;
  readonly post: string;
  readonly subject: string;
  readonly zone: string;
  readonly onCancel: () => void;
  /** With what is to be said of it. */
  readonly onDone: (text: string) => void;
}

function OrderForm({ order, post, subject, zone, onCancel, onDone }: OrderFormProps) {
  const { texts, fetcher, now } = useApp();
  const words = deliveryTextsOf(texts.value.language);
  const date = useSignal(dateOf(daysBack(now.peek(), 1, zone), zone));
  const since = (): number | undefined => startOfDate(date.value, zone, now.peek(), KEPT_DAYS);
  const common = { subject, onCancel, nameHint: words.nameHint };
  if (order === 'accept')
    return (
      <PersonOrder
        {...common}
        title={words.acceptTitle}
        meaning={words.acceptMeaning}
        submit={words.confirmAccept}
        send={(by) => acceptIdentity(fetcher, post, by)}
        onSent={() => onDone(words.accepted)}
      />
    );
  const isReplay = order === 'replay';
  const commandOf = (by: string): ReplayCommand => {
    const from = since();
    return isReplay && from !== undefined ? { since: from, by } : { deadLetters: true, by };
  };
  return (
    <PersonOrder
      {...common}
      title={isReplay ? words.replayTitle : words.refusedTitle}
      meaning={isReplay ? words.replayMeaning : words.refusedMeaning}
      submit={words.confirm}
      fault={() => (isReplay && since() === undefined ? words.dateNeeded : '')}
      send={(by) => sendReplay(fetcher, post, commandOf(by))}
      onSent={({ state }) => onDone(words[state])}
    >
      {isReplay && <DateField date={date} zone={zone} />}
    </PersonOrder>
  );
}

function DateField({ date, zone }: { date: { value: string }; zone: string }) {
  const { texts, now } = useApp();
  const words = deliveryTextsOf(texts.value.language);
  const id = useId();
  return (
    <>
      <label for={id}>
        {words.replayFrom} ({texts.value.time.inZone(zone)})
      </label>
      <input
        id={id}
        type="date"
        name="since"
        min={dateOf(daysBack(now.peek(), KEPT_DAYS, zone), zone)}
        max={dateOf(now.peek(), zone)}
        value={date.value}
        onInput={(event) => {
          date.value = event.currentTarget.value;
        }}
      />
    </>
  );
}
