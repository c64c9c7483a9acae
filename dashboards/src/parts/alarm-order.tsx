// A person takes an alarm on, or lets go of a latched one: with a name, since a journal without names is worth nothing.
import { useSignal } from '@preact/signals';
import { useId, useRef } from 'preact/hooks';
import type { AlarmView } from '#contract/view.js';
import { useApp } from '../app.js';
import { type AlarmOrder, type ApiFault, sendAlarmOrder } from '../live/api.js';
import { orderFor } from '../model/alarms.js';

/** The button of the order that makes sense now, with its dialog; nothing where none does. `subject` names post and alarm. */
export function AlarmOrderButton({ alarm, subject }: { alarm: AlarmView; subject: string }) {
  const { texts } = useApp();
  const dialog = useRef<HTMLDialogElement>(null);
  // The order of the moment when the dialog was opened: an alarm that ends meanwhile must not change the question.
  const asked = useSignal<AlarmOrder | null>(null);
  const order = orderFor(alarm);
  const shown = asked.value ?? order;
  if (shown === null) return null;

  const close = (): void => {
    asked.value = null;
    const element = dialog.current;
    if (typeof element?.close === 'function') element.close();
    else element?.removeAttribute('open');
  };
  const open = (): void => {
    asked.value = order;
    const element = dialog.current;
    if (typeof element?.showModal === 'function') element.showModal();
    else element?.setAttribute('open', '');
  };
  return (
    <>
      {order !== null && (
        <button type="button" class="primary" onClick={open}>
          {texts.value.alarmList[order]}
          <span class="sr-only"> – {subject}</span>
        </button>
      )}
      <dialog ref={dialog} onClose={close} aria-label={subject}>
        {asked.value !== null && <OrderForm alarm={alarm} order={shown} subject={subject} onDone={close} />}
      </dialog>
    </>
  );
}

interface OrderFormProps {
  readonly alarm: AlarmView;
  readonly order: AlarmOrder;
  readonly subject: string;
  readonly onDone: () => void;
}

function OrderForm({ alarm, order, subject, onDone }: OrderFormProps) {
  const { texts, name, fetcher, takeAlarm } = useApp();
  const { alarmList: words } = texts.value;
  const comment = useSignal('');
  const problem = useSignal('');
  const isSending = useSignal(false);

  async function send(event: Event): Promise<void> {
    event.preventDefault();
    const by = name.value.trim();
    if (by === '') {
      problem.value = words.nameNeeded;
      return;
    }
    isSending.value = true;
    problem.value = '';
    const note = comment.value.trim();
    const result = await sendAlarmOrder(fetcher, order, { alarm: alarm.id, by, ...(note !== '' && { comment: note }) });
    isSending.value = false;
    if (!result.ok) {
      problem.value = faultWords(result.fault, words);
      return;
    }
    takeAlarm(result.value.alarm);
    onDone();
  }

  return (
    <form class="order" onSubmit={send} noValidate>
      <h2>{order === 'acknowledge' ? words.dialogTitle : words.resetTitle}</h2>
      <p class="order-subject">{subject}</p>
      <p class="muted">{order === 'acknowledge' ? words.dialogMeaning : words.resetMeaning}</p>
      <OrderFields comment={comment} />
      {problem.value !== '' && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
      <div class="buttons">
        <button type="button" onClick={onDone}>
          {words.cancel}
        </button>
        <button type="submit" class="primary" disabled={isSending.value}>
          {isSending.value ? words.sending : words[order]}
        </button>
      </div>
    </form>
  );
}

function OrderFields({ comment }: { comment: { value: string } }) {
  const { texts, name } = useApp();
  const { alarmList: words } = texts.value;
  const id = useId();
  return (
    <>
      <label for={`${id}-name`}>{words.yourName}</label>
      <input
        id={`${id}-name`}
        name="by"
        autocomplete="name"
        maxLength={80}
        value={name.value}
        aria-describedby={`${id}-hint`}
        onInput={(event) => {
          name.value = event.currentTarget.value;
        }}
      />
      <p class="muted small" id={`${id}-hint`}>
        {words.nameHint}
      </p>
      <label for={`${id}-comment`}>{words.comment}</label>
      <textarea
        id={`${id}-comment`}
        name="comment"
        rows={2}
        maxLength={500}
        value={comment.value}
        onInput={(event) => {
          comment.value = event.currentTarget.value;
        }}
      />
    </>
  );
}

function faultWords(fault: ApiFault, words: { readonly refused: string; readonly unreachable: string }): string {
  return fault.kind === 'unreachable' ? words.unreachable : `${words.refused} ${fault.message}`;
}
