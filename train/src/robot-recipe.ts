/** How `kit train` trains a robot unless it is told otherwise: the one place for it. */
import { movesInPlane } from '@sim2servo/models/kinematics';
import type { RobotSpec } from '@sim2servo/models/robot-spec';
import { sac } from './algorithms/sac.js';
import { defaultTrainingConfig, type RobotTrainingConfig } from './training-config.js';

/**
 * Time ahead that a policy weighs: 1/(1 − gamma) steps of it, whatever the rate. In space the way to a goal behind the arm leads over its
 * shoulder and takes more than a second; of half a second's horizon it is learnt that such ways are not worth going.
 */
const horizonS = { plane: 0.4, space: 1.2 };

/**
 * @param robot as the run's configuration names it
 * @param spec  of that robot
 */
export function robotRecipe(
  robot: string,
  spec: RobotSpec,
  task: string,
  controlRateHz = defaultTrainingConfig.controlRateHz,
): RobotTrainingConfig {
  const gammaOf = (seconds: number) => 1 - 1 / (seconds * controlRateHz);
  const plane = { ...defaultTrainingConfig, robot, task, controlRateHz };
  if (movesInPlane(spec)) return { ...plane, sac: { ...plane.sac, gamma: gammaOf(horizonS.plane) } };
  const stepsIn = (simulatedS: number) => Math.round(simulatedS * controlRateHz);
  return {
    ...plane,
    // Being close is rare while the way there is not known.
    nearStarts: 0.3,
    loop: {
      ...plane.loop,
      // Physics costs a fifteenth of an update: what is new is cheaper than what is learnt twice.
      steps: stepsIn(64_000),
      learningStarts: stepsIn(160),
      blockSteps: stepsIn(1.28),
      updatesPerStep: 6.25 / controlRateHz,
      replayCapacity: 1_000_000,
      evaluateEvery: stepsIn(2_000),
      // From any start to any goal: of fewer, the few that are stuck decide which policy is the best.
      evaluationEpisodes: 100,
      checkpointEvery: stepsIn(16_000),
      logEvery: stepsIn(100),
    },
    sac: {
      ...sac.defaults,
      hiddenSizes: [128, 128],
      batchSize: 256,
      gamma: gammaOf(horizonS.space),
      tau: 0.01,
      learningRate: 7e-4,
    },
  };
}
