/** How `kit train` trains a robot unless it is told otherwise: the one place for it. */
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import { sac } from './algorithms/sac.js';
import { defaultTrainingConfig, type RobotTrainingConfig } from './training-config.js';

/**
 * Time ahead that a policy weighs: 1/(1 − gamma) steps of it, whatever the rate. An arm in space has further to go: over the shoulder it is a
 * second and a half, and who weighs less than twice that rightly stays where it has got stuck, a hand's breadth off.
 */
const horizonS = { plane: 0.4, space: 3 };
/** An arm in space learns with this many control steps a second, if its policy has more: at 50 Hz it took four times as many steps to be half as exact. */
const learnInSpaceAtHz = 25;
/** An arm with fewer joints than this lies in a plane, and takes desk2's recipe. */
const jointsInSpace = 4;

/**
 * @param robot   as the run's configuration names it
 * @param spec    of that robot
 * @param goingOn the run begins with the policy and the critics of another
 */
export function robotRecipe(
  robot: string,
  spec: RobotSpec,
  task: string,
  controlRateHz = defaultTrainingConfig.controlRateHz,
  goingOn = false,
): RobotTrainingConfig {
  const gammaOf = (seconds: number, rateHz = controlRateHz) => 1 - 1 / (seconds * rateHz);
  const plane = { ...defaultTrainingConfig, robot, task, controlRateHz };
  if (spec.joints.length < jointsInSpace) return { ...plane, sac: { ...plane.sac, gamma: gammaOf(horizonS.plane) } };
  const learnAtHz = spec.action.kind === 'velocity' ? Math.min(learnInSpaceAtHz, controlRateHz) : controlRateHz;
  const space: RobotTrainingConfig = {
    ...plane,
    learnAtHz,
    // The way over the shoulder, to what lies behind, is found from its end.
    nearStarts: 0.5,
    // … and the way out of where it has got stuck, from there.
    chainedStarts: 0.3,
    loop: {
      ...plane.loop,
      // Physics costs a fifteenth of an update: what is new is cheaper than what is learnt twice.
      steps: 1_700_000,
      learningStarts: 8_000,
      blockSteps: 64,
      updatesPerStep: 0.125,
      replayCapacity: 1_700_000,
      evaluateEvery: 100_000,
      // From any start to any goal: of fewer, the few that are stuck decide which policy is the best.
      evaluationEpisodes: 120,
      checkpointEvery: 400_000,
      logEvery: 5_000,
    },
    sac: {
      ...sac.defaults,
      hiddenSizes: [256, 256],
      batchSize: 256,
      gamma: gammaOf(horizonS.space, learnAtHz),
      tau: 0.01,
      // Values over such a horizon wander without it …
      criticLayerNorm: true,
      // … and policies that always learn as fast as at first find the ways and never become exact.
      learningRate: 5e-4,
      learningRateHalvedAfter: 70_000,
      // More noise than this, and what is worth a millimetre drowns in it.
      targetEntropy: -2 * spec.joints.length,
    },
  };
  if (!goingOn) return space;
  return {
    ...space,
    loop: { ...space.loop, steps: 200_000, blockSteps: 256 },
    // The critics get used to the new rate or reward first; then the actor follows, slowly, for it has something to lose.
    sac: { ...space.sac, tau: 0.005, learningRate: 1e-4, actorAfter: 5000 },
  };
}
