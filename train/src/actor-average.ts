/**
 * A moving average of the actor's parameters over the last updates.
 *
 * Under a constant learning rate the newest actor wanders around a good one; where no evaluation can pick the best (fine-tuning for an arm
 * that the simulation does not know) its average is nearer to it (Polyak and Juditsky 1992).
 */
export class ActorAverage {
  readonly values: Float32Array;
  readonly #horizon: number;
  #weight = 0;

  /** @param horizon updates after which an actor's share has fallen to 1/e */
  constructor(length: number, horizon: number) {
    this.values = new Float32Array(length);
    this.#horizon = horizon;
  }

  /**
   * Takes in the actor after some more updates. The first ones count as they would without the zeros that the average starts from.
   *
   * @param actor   as `Engine.readActor` writes it
   * @param updates since the last call
   */
  add(actor: Float32Array, updates: number): void {
    const share = 1 - Math.exp(-updates / this.#horizon);
    this.#weight += share * (1 - this.#weight);
    const rate = this.#weight > 0 ? share / this.#weight : 0;
    for (let i = 0; i < actor.length; i++) this.values[i]! += rate * (actor[i]! - this.values[i]!);
  }
}
