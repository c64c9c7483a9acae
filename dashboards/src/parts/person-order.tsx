// What a person orders, and signs with a name: a journal without names is worth nothing.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';
import type { Result } from '#domain/result.js';
import { useApp } from '../app.js';
import type { ApiFault } from '../live/api.js';

/** A dialog that opens also where the browser has none of its own. */
export function useDialog() {
  const ref = useRef<HTMLDialogElement>(null);
  return {
    ref,
    open(): void {
      const element = ref.current;
      if (typeof element?.showModal === 'function') element.showModal();
      else element?.setAttribute('open', '');
    },
    close(): void {
      const element = ref.current;
      if (typeof element?.close === 'function') element.close();
      else element?.removeAttribute('open');
    },
  };
}

interface PersonOrderProps<T> {
  readonly title: string;
  /** What it is about. */
  readonly subject: string;
  /** What the person says with it. */
  readonly meaning: string;
  readonly submit: string;
  /** What becomes of the name. */
  readonly nameHint: string;
  /** More fields than the name. */
  readonly children?: ComponentChildren;
  /** What keeps the order from being sent, in words; empty when nothing does. */
  readonly fault?: () => string;
  readonly send: (by: string) => Promise<Result<T, ApiFault>>;
  readonly onSent: (answer: T) => void;
  readonly onCancel: () => void;
}

/** The form inside of such a dialog. */
export function PersonOrder<T>(props: PersonOrderProps<T>) {
  const { texts, name } = useApp();
  const { alarmList: words } = texts.value;
  const problem = useSignal('');
  const isSending = useSignal(false);

  async function send(event: Event): Promise<void> {
    event.preventDefault();
    const by = name.value.trim();
    problem.value = by === '' ? words.nameNeeded : (props.fault?.() ?? '');
    if (problem.value !== '') return;
    isSending.value = true;
    const result = await props.send(by);
    isSending.value = false;
    if (result.ok) props.onSent(result.value);
    else problem.value = faultWords(result.fault, words);
  }

  return (
    <form class="order" onSubmit={send} noValidate>
      <h2>{props.title}</h2>
      <p class="order-subject">{props.subject}</p>
      <p class="muted">{props.meaning}</p>
      <NameField hint={props.nameHint} />
      {props.children}
      {problem.value !== '' && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
      <div class="buttons">
        <button type="button" onClick={props.onCancel}>
          {words.cancel}
        </button>
        <button type="submit" class="primary" disabled={isSending.value}>
          {isSending.value ? words.sending : props.submit}
        </button>
      </div>
    </form>
  );
}

function NameField({ hint }: { hint: string }) {
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
        {hint}
      </p>
    </>
  );
}

function faultWords(fault: ApiFault, words: { readonly refused: string; readonly unreachable: string }): string {
  return fault.kind === 'unreachable' ? words.unreachable : `${words.refused} ${fault.message}`;
}
