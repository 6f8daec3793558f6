/**
 * One piece of memory for everything an update touches: parameters, gradients, moments, averages, batch. ONNX Runtime's tensors are views
 * of it and the WebAssembly optimiser works in it, so nothing is copied between them.
 *
 * It is sized once and never grows: growing a WebAssembly memory detaches every view of it.
 */
import './webassembly.js';
import { KitError } from '@sim2servo/models/error';

const pageBytes = 65536;
const lineBytes = 64;

export interface Region {
  /** Where it starts in the memory: what the WebAssembly kernels take. */
  readonly byteOffset: number;
  readonly values: Float32Array;
}

export class Arena {
  readonly memory: WebAssembly.Memory;
  #end = lineBytes;

  /** @param regionFloats  lengths of the regions that will be asked for */
  constructor(regionFloats: readonly number[]) {
    const bytes = regionFloats.reduce((sum, floats) => sum + lineRounded(floats), lineBytes);
    const pages = Math.ceil(bytes / pageBytes);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  }

  allocate(floats: number): Region {
    const byteOffset = this.#end;
    this.#end += lineRounded(floats);
    if (this.#end > this.memory.buffer.byteLength) {
      throw new KitError('E_ARENA_FULL', `The arena has no room for ${floats} floats.`, 'Report it.', 'bug');
    }
    return { byteOffset, values: new Float32Array(this.memory.buffer, byteOffset, floats) };
  }
}

function lineRounded(floats: number): number {
  return Math.ceil((floats * 4) / lineBytes) * lineBytes;
}
