/** Of the runtime that runs policies on this robot; a test holds it to the package's. */
export const runtimeVersion = '0.1.0';
