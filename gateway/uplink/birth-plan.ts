// When a birth is due: once per session of the server, and again when the server asks, but not in a storm.
import type { Random } from '#domain/clock.js';

/** A post that has just started meets a server that is long there; others do not start in the same moment. */
const SPREAD_AFTER_START_MS = 2_000;
/** A server answers a birth. Data waits for that so long: a broker may let small messages of QoS 0 overtake a birth of QoS 1. */
const ANSWER_MS = 5_000;
const AGAIN_MS = 5_000;
const AGAIN_MAX_MS = 300_000;

/** Times are monotonic. */
export class BirthPlan {
  readonly #random: Random;
  readonly #spreadMs: number;
  /** Session of the server that the birth was sent to. */
  #sentTo: string | undefined;
  #sentAt = Number.NEGATIVE_INFINITY;
  #stored = false;
  #againMs = AGAIN_MS;
  #dueAt: number | undefined;
  #out = false;
  /** Data waits until then for the answer to the birth. */
  #answerBy = Number.NEGATIVE_INFINITY;

  constructor(random: Random, spreadMs: number) {
    this.#random = random;
    this.#spreadMs = spreadMs;
  }

  /** When there is something to do or to send again. */
  nextAt(now: number): number {
    const birthAt = this.#dueAt ?? Number.POSITIVE_INFINITY;
    return this.#out && now < this.#answerBy ? Math.min(birthAt, this.#answerBy) : birthAt;
  }

  isDue(now: number): boolean {
    return this.#dueAt !== undefined && now >= this.#dueAt;
  }

  /** The server of this session has been told, and has had time to hear it: data may follow. */
  isOut(now: number): boolean {
    return this.#out && now >= this.#answerBy;
  }

  /** The server has answered something. */
  onAnswer(): void {
    this.#answerBy = Number.NEGATIVE_INFINITY;
  }

  /**
   * A server says that it is there. `alone`: this post has just started, and meets a server that was there before. Else the server
   * may be the one that started, and all its posts come at once.
   */
  onServer(session: string, now: number, alone: boolean): void {
    if (session === this.#sentTo) {
      this.#out = true;
      return;
    }
    this.#out = false;
    this.#stored = false;
    this.#againMs = AGAIN_MS;
    const spreadMs = alone ? Math.min(SPREAD_AFTER_START_MS, this.#spreadMs) : this.#spreadMs;
    this.#dueAt ??= now + this.#random() * spreadMs;
  }

  onSent(session: string, now: number): void {
    this.#sentTo = session;
    this.#sentAt = now;
    this.#dueAt = undefined;
    this.#out = true;
    this.#answerBy = now + ANSWER_MS;
  }

  /** The server stored something, so it knows the birth. */
  onStored(): void {
    this.#stored = true;
    this.#againMs = AGAIN_MS;
    if (this.#out) this.#dueAt = undefined;
  }

  /**
   * The server asks for the birth. What was on its way when the last one went asks too, so within a while it is only noted:
   * something stored in the meantime shows that the birth has arrived.
   */
  onNeeded(now: number): void {
    const at = Math.max(now, this.#sentAt + this.#againMs);
    this.#stored = false;
    if (this.#dueAt !== undefined) return;
    this.#dueAt = at;
    this.#againMs = Math.min(this.#againMs * 2, AGAIN_MAX_MS);
    if (at === now) this.#out = false;
  }

  /** It could not go now. */
  putOff(until: number): void {
    this.#dueAt = until;
  }

  onImpossible(now: number): void {
    this.#dueAt = now + AGAIN_MAX_MS;
    this.#out = false;
  }

  /** A birth that nothing was stored under may have been lost with the connection. */
  onDisconnected(): void {
    this.#out = false;
    this.#dueAt = undefined;
    if (!this.#stored) this.#sentTo = undefined;
  }
}
