/**
 * An ONNX graph on one of ONNX Runtime's providers, whose large outputs stay on the device and are fed back as inputs.
 *
 * Through the native session, which is synchronous (see graph-session.ts). `getData()` of a tensor on the device aborts the process in
 * onnxruntime-node 1.30: the only way back is a graph whose output lies in the CPU's memory, {@link DeviceCopy}.
 */
import { KitError } from '@sim2servo/models/error';
import type * as ort from 'onnxruntime-node';
import { trace } from '../compile/trace.js';
import { nativeBinding, sessionOptions, type Tensors } from './graph-session.js';
import { checkCudaLibraries, keepsTensorsOnDevice, type Provider, providerMissing } from './provider.js';

export class DeviceSession {
  readonly #session: { run(feeds: Tensors, fetches: object, options: object): unknown; dispose(): void };
  readonly #fetches: Readonly<Record<string, null>>;

  /**
   * @param model    ONNX
   * @param outputs  names, and whether each one comes back to the CPU's memory
   * @throws KitError E_ENGINE_MISSING where this build or machine lacks the provider
   */
  constructor(provider: Provider, model: Uint8Array, outputs: Readonly<Record<string, 'cpu' | 'device'>>) {
    const native = nativeBinding();
    if (native === undefined)
      throw new KitError(
        'E_ENGINE_MISSING',
        `The engine fused-${provider} needs the synchronous session of onnxruntime-node, which this version keeps elsewhere.`,
        'Install the version that package.json pins with `npm ci`, or use --engine split.',
        'usage',
      );
    if (provider === 'cuda') checkCudaLibraries();
    native.initOrt();
    const session = new native.binding.InferenceSession();
    const location = (wanted: 'cpu' | 'device') =>
      wanted === 'device' && keepsTensorsOnDevice(provider) ? ('gpu-buffer' as const) : ('cpu' as const);
    const options = {
      ...sessionOptions,
      executionProviders: [provider],
      ...(keepsTensorsOnDevice(provider) && {
        preferredOutputLocation: Object.fromEntries(
          Object.entries(outputs).map(([name, wanted]) => [name, location(wanted)]),
        ),
      }),
    };
    try {
      session.loadModel(model.buffer, model.byteOffset, model.byteLength, options);
    } catch (cause) {
      throw providerMissing(provider, cause);
    }
    this.#session = session;
    this.#fetches = Object.fromEntries(Object.keys(outputs).map(name => [name, null]));
  }

  /**
   * @param into  tensors in the CPU's memory that take the outputs of their names; for the others new ones are made, and those on the
   *              device are the caller's to dispose
   */
  run(feeds: Tensors, into: Tensors = {}): Tensors {
    return this.#session.run(feeds, { ...this.#fetches, ...into }, {}) as Tensors;
  }

  dispose(): void {
    this.#session.dispose();
  }
}

/** Copies tensors of fixed shapes to or from the device: a graph of nothing but Identity. */
export class DeviceCopy {
  readonly #session: DeviceSession;

  /** @param shapes  by name */
  constructor(provider: Provider, shapes: Readonly<Record<string, readonly number[]>>, to: 'cpu' | 'device') {
    const { model } = trace({
      name: `copy to ${to}`,
      inputs: shapes,
      run: tensors => Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`copy/${name}`, tensor])),
    });
    const outputs = Object.fromEntries(Object.keys(shapes).map(name => [`copy/${name}`, to]));
    this.#session = new DeviceSession(provider, model, outputs);
  }

  run(tensors: Tensors): Tensors {
    const copies = this.#session.run(tensors);
    return Object.fromEntries(Object.keys(tensors).map(name => [name, copies[`copy/${name}`] as ort.Tensor]));
  }

  dispose(): void {
    this.#session.dispose();
  }
}
