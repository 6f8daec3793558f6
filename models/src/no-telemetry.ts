/**
 * Nothing here calls home. ONNX Runtime's official builds for Linux and macOS do unless they are told not to before their first session:
 * they send events to Microsoft, and leave a device id and a database in the home folder, and files in the temporary one.
 *
 * Imported for its effect by whatever may be the first to start ONNX Runtime. It has to be the main thread that does: a worker's `process.env`
 * is a copy of its own, which no library sees.
 *
 * @see https://github.com/microsoft/onnxruntime/pull/27379, "Behavior and controls"
 */
process.env.ORT_DISABLE_TELEMETRY = '1';
