// The class of a code, with its probability: by the run's own network, or by a linear classifier.
import type { ClassifierAbout, Column, Dataset, Temperature } from './data';
import type { Networks } from './networks';

export const BY_YOURS = ' by your labels';

/** The probability of each class of a code; null while the network is not there. */
export async function chances(about: ClassifierAbout, networks: Networks | null, code: Float32Array): Promise<Float32Array | null> {
  if (about.weights) return softmax(linear(about, (at) => code[at]));
  if (!networks) return null;
  const logits = await networks.classify(code);
  return softmax(logits, about.temperature && divisor(logits, about.temperature));
}

/** What a linear classifier says of every image: its class, and the probability of that. */
export function predictions(about: ClassifierAbout, dataset: Dataset): [Column, Column] {
  const classes = new Int32Array(dataset.count);
  const confidence = new Float32Array(dataset.count);
  for (let image = 0; image < dataset.count; image++) {
    const found = softmax(linear(about, (at) => dataset.codes[at][image]));
    for (let one = 1; one < found.length; one++) if (found[one] > found[classes[image]]) classes[image] = one;
    confidence[image] = found[classes[image]];
  }
  return [
    { name: `predicted${BY_YOURS}`, kind: 'category', values: about.names, data: classes },
    { name: `confidence${BY_YOURS}`, kind: 'number', data: confidence },
  ];
}

function linear({ weights, bias }: ClassifierAbout, number: (at: number) => number): Float32Array {
  return Float32Array.from(weights as number[][], (row, one) => {
    let sum = (bias as number[])[one];
    for (let at = 0; at < row.length; at++) sum += row[at] * number(at);
    return sum;
  });
}

function divisor(logits: Float32Array, { typical, slope, entropy }: Temperature): number {
  const sum = softmax(logits).reduce((all, one) => all - (one ? one * Math.log(one) : 0), 0);
  return typical * Math.exp(slope * (sum / Math.log(Math.max(2, logits.length)) - entropy));
}

function softmax(logits: Float32Array, temperature = 1): Float32Array {
  const most = Math.max(...logits);
  const found = logits.map((one) => Math.exp((one - most) / temperature));
  const sum = found.reduce((a, b) => a + b, 0);
  return found.map((one) => one / sum);
}
