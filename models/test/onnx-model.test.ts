/** Tests of onnx-model; its writer is at it. */
export {};
