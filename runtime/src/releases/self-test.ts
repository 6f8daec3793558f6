/** Whether a policy gives on this machine what its trainer gave, and fast enough for its own rate. */
import type { Bundle } from '@sim2servo/models/bundle/load-bundle';
import { KitError } from '@sim2servo/models/error';
import { Histogram, type HistogramSummary } from '../histogram.js';
import type { InferenceBackend } from '../inference-backend.js';
import { openPolicySession, type PolicySession } from '../policy-session.js';

export interface SelfTest {
  readonly backend: InferenceBackend;
  readonly goldenMaxError: number;
  readonly inferUs: HistogramSummary;
}

const inferences = 300;
/** They take some milliseconds: a machine that was busy just then is asked again, a network that is too slow is so each time. */
const rounds = 5;
/** Nothing is timed for longer: a network that takes a second for one must not keep the robot busy for minutes. */
const patienceMs = 2_000;
/** Share of the control period that inference may take at p99; the rest is for the bus. */
const latencyShare = 0.25;

async function timed(session: PolicySession, { golden }: Bundle, untilMs: number): Promise<HistogramSummary> {
  const inferUs = new Histogram();
  for (let i = 0; i < inferences && (i === 0 || performance.now() < untilMs); i++) {
    session.observation.set(golden.observations[i % golden.observations.length]!);
    const from = performance.now();
    await session.infer();
    inferUs.record((performance.now() - from) * 1000);
  }
  return inferUs.summary();
}

/** @throws KitError E_BUNDLE_GOLDEN, E_SELFTEST_LATENCY, E_MODEL_LOAD, E_NO_INFERENCE */
export async function selfTest(bundle: Bundle, share = latencyShare): Promise<SelfTest> {
  const session = await openPolicySession(bundle);
  try {
    const { controlRateHz } = bundle.manifest;
    const budgetUs = (share * 1e6) / controlRateHz;
    const untilMs = performance.now() + patienceMs;
    let inferUs = await timed(session, bundle, untilMs);
    for (let again = 1; inferUs.p99 > budgetUs && again < rounds && performance.now() < untilMs; again++)
      inferUs = await timed(session, bundle, untilMs);
    const { p99 } = inferUs;
    if (p99 > budgetUs)
      throw new KitError(
        'E_SELFTEST_LATENCY',
        `one inference takes ${Math.round(p99)} µs (p99) on this machine; at ${controlRateHz} Hz it may take ${Math.round(budgetUs)} µs`,
        'train a smaller network, or a lower control rate',
      );
    return { backend: session.backend, goldenMaxError: session.goldenMaxError, inferUs };
  } finally {
    await session.dispose();
  }
}
