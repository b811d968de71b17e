// Names of the program in plain words. A name without a row is shown as it is, with blanks.

const WORDS = {
  // Data sets.
  moons: "Moons",
  circles: "Circles",
  spirals: "Spirals",
  blobs: "Blobs",
  xor: "XOR",
  gates: "Logic gate",
  classification: "Clusters",
  regression: "Curve",
  iris: "Iris flowers",
  winequality: "Wine quality",
  digits: "Small digits",
  mnist: "MNIST digits",
  fashion_mnist: "Fashion-MNIST",
  points: "Painted points",
  csv: "Your table",
  image_folder: "Your images",
  task: "What to learn",
  "task.classification": "Classes",
  "task.regression": "A number",
  below_five: "Is it below five?",
  ten_classes: "Which digit?",
  // Functions.
  relu: "ReLU",
  leaky_relu: "Leaky ReLU",
  elu: "ELU",
  gelu: "GELU",
  selu: "SELU",
  tanh: "tanh",
  // Losses.
  bce_with_logits: "Binary cross-entropy",
  bce: "Binary cross-entropy of probabilities",
  bce_naive: "Binary cross-entropy, naive",
  cross_entropy: "Cross-entropy",
  cross_entropy_naive: "Cross-entropy, naive",
  kl_divergence: "Kullback-Leibler divergence",
  mse: "Squared error",
  mae: "Absolute error",
  // Optimisers.
  sgd: "SGD",
  adam: "Adam",
  adamw: "AdamW",
  nadam: "NAdam",
  rmsprop: "RMSprop",
  adagrad: "AdaGrad",
  lbfgs: "L-BFGS",
  // Networks.
  mlp: "Multilayer perceptron",
  convnet: "Convolutional network",
  // Scaling.
  per_feature: "Each column by itself",
  global: "All columns together",
  min_max: "From 0 to 1",
  robust: "By median and quartiles",
  // Keys.
  num_samples: "Samples",
  num_classes: "Classes",
  num_features: "Columns",
  num_informative: "Informative columns",
  num_redundant: "Redundant columns",
  num_repeated: "Repeated columns",
  num_clusters_per_class: "Clusters per class",
  class_sep: "Distance of classes",
  flip_y: "Share of wrong labels",
  factor: "Inner radius",
  std: "Spread",
  seed: "Seed of the data",
  beta_1: "Beta 1",
  beta_2: "Beta 2",
  step_size: "Epochs between drops",
  pct_start: "Share of the rise",
  pytorch_default: "As PyTorch",
};

/** A name of the program in plain words; `key` is that of the menu it stands in. */
export function words(name, key = "") {
  const blanks = name.replaceAll("_", " ");
  return WORDS[`${key.split(".").at(-1)}.${name}`] ?? WORDS[name] ?? blanks.charAt(0).toUpperCase() + blanks.slice(1);
}
