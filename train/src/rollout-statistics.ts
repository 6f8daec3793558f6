/** Returns and lengths of the episodes that training collects, read from the rows of the replay: the last hundred, as Stable-Baselines3 reports them. */
import type { ReplayBuffer } from './replay/replay-buffer.js';

const window = 100;

export interface RolloutState {
  readonly returns: readonly number[];
  readonly lengths: readonly number[];
  readonly episodes: number;
  /** Of the episode that is under way. */
  readonly return: number;
  readonly length: number;
}

export class RolloutStatistics {
  #returns: number[] = [];
  #lengths: number[] = [];
  #episodes = 0;
  #return = 0;
  #length = 0;

  /** Takes in the newest `rows` committed rows. */
  take(replay: ReplayBuffer, rows: number): void {
    for (let age = rows - 1; age >= 0; age--) {
      const row = replay.rowOf(age);
      this.#return += replay.reward[row]!;
      this.#length++;
      if (replay.terminated[row] === 0 && replay.truncated[row] === 0) continue;
      this.#returns.push(this.#return);
      this.#lengths.push(this.#length);
      if (this.#returns.length > window) {
        this.#returns.shift();
        this.#lengths.shift();
      }
      this.#episodes++;
      this.#return = 0;
      this.#length = 0;
    }
  }

  /** Mean return of the last episodes, NaN before the first has ended. */
  get meanReturn(): number {
    return average(this.#returns);
  }

  get scalars(): Readonly<Record<string, number>> {
    return {
      'rollout/ep_rew_mean': this.meanReturn,
      'rollout/ep_len_mean': average(this.#lengths),
      'time/episodes': this.#episodes,
    };
  }

  save(): RolloutState {
    return {
      returns: [...this.#returns],
      lengths: [...this.#lengths],
      episodes: this.#episodes,
      return: this.#return,
      length: this.#length,
    };
  }

  load(state: RolloutState): void {
    this.#returns = [...state.returns];
    this.#lengths = [...state.lengths];
    this.#episodes = state.episodes;
    this.#return = state.return;
    this.#length = state.length;
  }
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
