/** The other shard of an exchange, for shards.test.ts: one group of 16, one parameter value, one gradient value. */
import { workerData } from 'node:worker_threads';
import { Arena } from '../../src/engine/arena.js';
import { GradientExchange, type SharedExchange } from '../../src/engine/gradient-exchange.js';
import { optimiserKernels } from '../../src/engine/optimiser-kernels.js';

export interface ExchangingSetup {
  readonly shared: SharedExchange;
  /** Bits of the last parameter; the others are 1. */
  readonly parameter: number;
  readonly gradient: number;
}

const { shared, parameter, gradient } = workerData as ExchangingSetup;
const arena = new Arena([16, 16, 16]);
const [parameters, gradients, others] = [arena.allocate(16), arena.allocate(16), arena.allocate(16)];
parameters.values.fill(1);
new Int32Array(parameters.values.buffer, parameters.byteOffset, 16)[15] = parameter;
gradients.values.fill(gradient);
const groups = [{ name: 'critics', parameters, gradients }];
const kernels = optimiserKernels(arena.memory);
try {
  new GradientExchange(shared, 1).average(groups, Float32Array.of(3, 3), others, kernels);
} catch {
  // The test looks at the other side's error; both have the same.
}
