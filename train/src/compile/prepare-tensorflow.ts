/**
 * Imported for its effects, before TensorFlow.js is used: `@tensorflow/tfjs` registers the kernels' gradients (tfjs-core alone does not)
 * and the `cpu` backend; production mode keeps it from advertising its native package on standard error.
 */
import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';

tf.env().set('PROD', true);
