// A question that is asked again and again.
import { type Answer, ApiError } from "./client.ts";

export interface Question<T> {
  readonly ask: (signal: AbortSignal, anew: boolean) => Promise<Answer<T>>;
  readonly answered: (answer: Answer<T>) => void;
  readonly failed: (error: ApiError) => void;
  readonly every: number; // milliseconds after an answer; 0: once, of the past until all of it came
  readonly still: boolean; // of an instant of the past: a whole answer stays as it is
  readonly age: () => number; // of the answer that came last, in milliseconds
  readonly resting: () => "paused" | "hidden" | null;
}

const SOON = 10_000;

export class Round<T> {
  private readonly of: Question<T>;
  private readonly end = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private underWay = false;
  private failing = false;
  private part = false; // of an answer: what failed may be told the next time
  private done = false;

  constructor(of: Question<T>) {
    this.of = of;
  }

  async run(anew = false): Promise<void> {
    if (this.underWay) return;
    this.underWay = true;
    clearTimeout(this.timer);
    try {
      this.take(await this.of.ask(this.end.signal, anew));
    } catch (error) {
      this.refuse(error);
    } finally {
      this.underWay = false;
      this.plan();
    }
  }

  // Its time has come, or the page is looked at again.
  readonly tick = (): void => {
    if (this.goesOn() && this.of.resting() === null) void this.run(this.of.still && this.part);
  };

  stop(): void {
    this.end.abort();
    clearTimeout(this.timer);
  }

  private goesOn(): boolean {
    const { every, resting, still } = this.of;
    const wanted = every > 0 || (still && (this.part || this.failing));
    return wanted && !this.done && !this.end.signal.aborted && resting() !== "paused";
  }

  private take(answer: Answer<T>): void {
    if (this.end.signal.aborted) return;
    this.failing = false;
    this.part = answer.meta.partial === true;
    this.done = this.of.still && !this.part;
    this.of.answered(answer);
  }

  private refuse(error: unknown): void {
    if (this.end.signal.aborted || !(error instanceof ApiError)) return;
    this.failing = true;
    this.of.failed(error);
  }

  // What is seldom asked for is not left failed for as long; what others had asked for is not
  // looked at for longer than it is fresh.
  private plan(): void {
    if (!this.goesOn()) return;
    const { every, age, still } = this.of;
    const soon = every > 0 ? Math.min(every, SOON) : SOON;
    const unhappy = this.failing || (still && this.part);
    const wait = unhappy ? soon : Math.max(50, every - age());
    this.timer = setTimeout(this.tick, wait);
  }
}
