/** Which of the engines that need something installed can be tested here. */
import { existsSync, readdirSync } from 'node:fs';
import { KitError } from '@sim2servo/models/error';
import { Random } from '@sim2servo/models/random';
import { sac } from '../../src/algorithms/sac.js';
import { createEngine } from '../../src/engine/create-engine.js';
import type { EngineName } from '../../src/engine/engine.js';
import { sizes, smallSac } from './small-sac.js';

/** The software driver of Debian's chromium-common (`.ci/run` installs it). Chromium alone knows it, unless it is named. */
const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json';
const drivers = '/usr/share/vulkan/icd.d';

/** The error that says what this machine lacks for an engine; undefined where it starts. One that fails otherwise than by being absent throws. */
export async function absence(name: EngineName): Promise<KitError | undefined> {
  const driverFound = existsSync(drivers) && readdirSync(drivers).length > 0;
  if (!driverFound && existsSync(swiftShader)) process.env.VK_ICD_FILENAMES ??= swiftShader;
  try {
    const engine = await createEngine(name, sac, sizes, smallSac, new Random(1));
    await engine.dispose();
    return undefined;
  } catch (error) {
    if (error instanceof KitError && error.code === 'E_ENGINE_MISSING') return error;
    throw error;
  }
}
