/** Latency of a policy's inference as the control loop makes it: sleep, wake before the deadline, one rehearsal, then the one that counts. */
import { readFileSync } from 'node:fs';
import { bindGraph } from '@sim2servo/runtime/inference-backend';
import { RealtimeClock } from '@sim2servo/runtime/realtime-clock';
import type { Figures } from './turns.js';

export interface ActorWork {
  /** ONNX file with input `observation` [1, 11] and output `action` [1, 2]. */
  readonly model: string;
  /** Inferences a second; 0 is back to back. */
  readonly hz: number;
  readonly samples: number;
}

const warmUp = 500;

export async function measureActor({ model, hz, samples }: ActorWork): Promise<Figures> {
  const buffers = {
    observation: Float32Array.from({ length: 11 }, (_, i) => Math.sin(i)),
    action: new Float32Array(2),
    scratch: new Float32Array(2),
  };
  const graph = await bindGraph(readFileSync(model), buffers);
  for (let i = 0; i < warmUp; i++) await graph.run(true);
  const clock = new RealtimeClock();
  const latenciesUs = new Float64Array(samples);
  let deadlineUs = clock.nowUs();
  for (let i = 0; i < samples; i++) {
    if (hz > 0) {
      deadlineUs += 1e6 / hz;
      await clock.waitUntil(deadlineUs);
      await graph.run(true);
    }
    const startUs = clock.nowUs();
    const running = graph.run(false);
    if (running instanceof Promise) await running;
    latenciesUs[i] = clock.nowUs() - startUs;
  }
  await graph.dispose();
  latenciesUs.sort();
  const quantile = (share: number) => latenciesUs[Math.min(samples - 1, Math.floor(share * samples))]!;
  return { p50Us: quantile(0.5), p99Us: quantile(0.99), p999Us: quantile(0.999) };
}
