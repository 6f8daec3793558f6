/** A training configuration that is done in seconds: its policy is a beginner's. */
import { defaultTrainingConfig, type RobotTrainingConfig } from '../../src/training-config.js';

export const smallConfig: RobotTrainingConfig = {
  ...defaultTrainingConfig,
  loop: {
    ...defaultTrainingConfig.loop,
    seed: 3,
    steps: 1200,
    learningStarts: 400,
    evaluateEvery: 400,
    evaluationEpisodes: 2,
    checkpointEvery: 600,
    logEvery: 200,
  },
  sac: { ...defaultTrainingConfig.sac, hiddenSizes: [16, 16], batchSize: 32 },
};
