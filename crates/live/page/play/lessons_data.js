// The lessons of docs/lessons for the playground: the same experiments, with the figures of those pages.
//
// `toml` is what "Set it up" loads, and `pace` the epochs a second at most. A step loads it again, sets its
// `changes`, and trains.

const SPLIT = `[split]
train = 0.7
valid = 0.3
`;

const DIGITS = `[dataset]
name = "digits"

[split]
method = "stratified"
train = 0.6
valid = 0.2
test = 0.2

[standardize]
method = "global"
`;

const THIRTY_LAYERS = Array(30).fill(32);

export const LESSONS = [
  {
    id: "activations",
    title: "Activations",
    page: "docs/lessons/activations.md",
    question: "Two hidden layers of 16 units separate two interleaved half circles. What does the activation function between them change?",
    prediction: "Which of these needs the fewest epochs to a validation accuracy of 0.97?",
    choices: ["linear", "sigmoid", "relu", "tanh"],
    right: 3,
    pace: 100,
    toml: `# What does an activation change on two moons?
name = "lesson_activations"

[dataset]
name = "moons"
num_samples = 1000
noise = 0.1

${SPLIT}
[model]
name = "mlp"
hidden = [16, 16]
activation = "linear"
initializer = { name = "kaiming_normal", gain = 1.4142135623730951 }

[loss]
name = "bce_with_logits"

[optimizer]
name = "adam"
learning_rate = 0.01

[training]
num_epochs = 1000
batch_size = "full"
train_metrics = "evaluated"
objective = { metric = "loss", split = "train" }
`,
    steps: [
      { text: "Train the network without a bend.", look: "The boundary stays a straight line, and the loss stops falling after some fifty epochs." },
      { text: "Put sigmoids between the layers.", changes: { "model.activation": "sigmoid" }, look: "The loss rests at that of the line for about a hundred epochs before it falls. Look at the gradients of the first layer while it rests." },
      { text: "Now ReLUs.", changes: { "model.activation": "relu" }, look: "The boundary is made of straight pieces, and each unit of the first layer has one fold." },
      { text: "And tanh.", changes: { "model.activation": "tanh" }, look: "It starts sooner than ReLU. Does it also end lower? Switch the curves to a log scale." },
    ],
    answer: [
      "Any bend is enough, and without one depth is worth nothing: three linear layers are one linear layer. All others reach 0.97 with every one of ten seeds.",
      "They differ in speed. Sigmoid needs 127 epochs more than relu, 95 % interval 111 to 156: its gradient is at most a quarter, and each layer multiplies by it once more. Tanh is there 17 epochs before relu, interval 7 to 30. The order after 1000 epochs is another: relu has the lowest median loss, and tanh cannot be told from it.",
    ],
    figures: {
      caption: "Medians of 10 seeds",
      head: ["activation", "train loss", "epochs to 0.97"],
      rows: [["linear", "0.2563", "never"], ["sigmoid", "0.0014", "226"], ["relu", "0.000151", "99"], ["tanh", "0.000343", "75.5"], ["gelu", "0.000166", "73.5"]],
    },
  },
  {
    id: "losses",
    title: "Losses and thresholds",
    page: "docs/lessons/losses_and_thresholds.md",
    question: "The output of a network can be trained by binary cross-entropy, by the squared error or by the absolute error. What does the loss do to its probabilities?",
    prediction: "The network says “class 1” from a probability of 0.1 on, instead of 0.5. Which loss suffers least?",
    choices: ["binary cross-entropy", "squared error", "absolute error", "all the same"],
    right: 2,
    pace: 100,
    toml: `# BCE, MSE or MAE, and which threshold?
name = "lesson_losses"

[dataset]
name = "moons"
num_samples = 1000
noise = 0.2

${SPLIT}
[model]
name = "mlp"
hidden = [16, 16]
activation = "relu"
initializer = "pytorch_default"
bias_initializer = "pytorch_default"

[loss]
name = "bce_with_logits"

[optimizer]
name = "adam"
learning_rate = 0.01

[training]
num_epochs = 500
batch_size = "full"
train_metrics = "evaluated"
objective = { metric = "accuracy" }
`,
    steps: [
      { text: "Train with binary cross-entropy.", look: "Between the moons is a pale band, where the network is not sure." },
      { text: "Now the squared error, behind a sigmoid.", changes: { "loss.name": "mse", "model.output_activation": "sigmoid" }, look: "The loss is another number in other units. Compare the accuracy instead." },
      { text: "And the absolute error.", changes: { "loss.name": "mae", "model.output_activation": "sigmoid" }, look: "The pale band is nearly gone: the probabilities are near 0 or 1 almost everywhere." },
    ],
    answer: [
      "At the threshold 0.5 the three losses cannot be told apart with 10 seeds.",
      "At 0.1, F1 with the absolute error is 0.009 higher than with cross-entropy, 95 % interval 0.004 to 0.021. It pushes probabilities to 0 or 1, because only the majority counts where classes overlap, and a threshold then has little to choose from. Cross-entropy and the squared error are lowest at the true probability, so their thresholds mean something. That is a reason for cross-entropy, not against it.",
    ],
    figures: {
      caption: "Medians of 10 seeds, validation rows",
      head: ["loss", "accuracy at 0.5", "accuracy at 0.1", "F1 at 0.1"],
      rows: [["cross-entropy", "0.9733", "0.9550", "0.9574"], ["squared error", "0.9700", "0.9600", "0.9625"], ["absolute error", "0.9700", "0.9700", "0.9716"]],
    },
  },
  {
    id: "descent",
    title: "The step size",
    page: "docs/lessons/descent.md",
    question: "Gradient descent takes steps down the slope, and the learning rate is their size. Is a larger step simply a faster one?",
    prediction: "Which learning rate has the lowest training loss after 100 epochs?",
    choices: ["0.1", "1", "10", "40"],
    right: 1,
    pace: 20,
    toml: `# Gradient descent and its step size.
name = "lesson_descent"

[dataset]
name = "moons"
num_samples = 1000
noise = 0.2

${SPLIT}
[model]
name = "mlp"
hidden = [16, 16]
activation = "tanh"

[loss]
name = "bce_with_logits"

[optimizer]
name = "sgd"
learning_rate = 0.1

[training]
num_epochs = 100
batch_size = 100
`,
    steps: [
      { text: "Train at a rate of 0.1.", look: "The loss falls smoothly, and is still falling at the end." },
      { text: "Ten times larger.", changes: { "optimizer.learning_rate": 1 }, look: "It is down sooner and ends lower." },
      { text: "Ten times larger again.", changes: { "optimizer.learning_rate": 10 }, look: "The loss jumps. Look at the update-to-weight ratios of the layers: are they in the healthy band?" },
      { text: "And 40.", changes: { "optimizer.learning_rate": 40 }, look: "The loss rises far above 0.7, which a network that knows nothing has. What do the problems say?" },
    ],
    answer: [
      "A larger step is faster up to a point, and then it leads elsewhere. If a step is longer than the valley is wide, it ends higher on the other side.",
      "The curvature says how far one can go: near a minimum a step of size η multiplies the distance along a direction of curvature c by 1 − ηc, so it settles only if η is below 2/c. On the surface of the lesson the lowest minimum has a curvature of 11.04: a step of 0.2 reaches it and cannot stay, because only steps below 0.181 settle. A step that shrinks gives both: large steps to get there, small ones to stay.",
    ],
    figures: {
      caption: "This experiment after 100 epochs, seed 0",
      head: ["learning rate", "train loss", "valid loss", "valid accuracy"],
      rows: [["0.1", "0.152", "0.168", "0.930"], ["1", "0.061", "0.135", "0.963"], ["10", "0.295", "0.432", "0.913"], ["40", "27.2", "30.1", "0.757"]],
    },
  },
  {
    id: "gradients",
    title: "Gradients through layers",
    page: "docs/lessons/gradients.md",
    question: "The gradient of a sigmoid is right, and at most a quarter. What becomes of it on its way back through nine layers?",
    prediction: "How much smaller is the gradient of the first layer than that of the last one?",
    choices: ["about the same", "9 times", "some hundred times", "some ten thousand times"],
    right: 3,
    pace: 10,
    toml: `# Vanishing gradients: nine layers of weights with sigmoids between them.
name = "lesson_gradients"

[dataset]
name = "digits"

[split]
train = 0.5
valid = 0.5

[standardize]
method = "global"

[model]
name = "mlp"
hidden = [32, 32, 32, 32, 32, 32, 32, 32]
activation = "sigmoid"
initializer = "xavier_normal"

[loss]
name = "cross_entropy"

[optimizer]
name = "sgd"
learning_rate = 0.05

[training]
num_epochs = 20
batch_size = 32
`,
    steps: [
      { text: "Train nine layers of sigmoids.", look: "Compare the gradients of the first and of the last layer in the panel of the layers. The accuracy stays near that of chance, 0.10." },
      { text: "Replace the sigmoids and their weights.", changes: { "model.activation": "relu", "model.initializer": "kaiming_normal" }, look: "The gradients of all layers are of one size, and the network learns." },
    ],
    answer: [
      "Every sigmoid multiplies the gradient by a slope of at most 1/4, and the weights of a layer do not make up for it. After eight of them the first layer gets a seventy-thousandth of what the last one gets: it keeps its random weights, and the layers behind it learn from noise. With ReLUs the same depth reaches 0.93.",
      "So a right gradient does not make a right training. Whether gradients are right is another question, and the page answers it: autodiff and central differences agree to 2.1e-8 or better in all 33 rows.",
    ],
    figures: {
      caption: "The error of the gradient of a sigmoid over the step of central differences",
      head: ["step", "1e-2", "1e-4", "1e-5", "1e-6", "1e-8", "1e-10"],
      rows: [["error", "6.8e-6", "6.8e-10", "1.7e-12", "4.6e-11", "1.8e-8", "1.2e-7"]],
    },
  },
  {
    id: "initialisation",
    title: "Initialisation",
    page: "docs/lessons/initialisation.md",
    question: "Weights may begin at zero, or at random numbers that fit the size of their layer. When does that matter?",
    prediction: "A network for small digits begins with all weights at zero. What becomes of it?",
    choices: ["It starts later and ends the same", "It stays at the accuracy of a coin", "It becomes NaN"],
    right: 1,
    pace: 20,
    toml: `# How should weights start?
name = "lesson_initialisation"

[dataset]
name = "digits"
task = "below_five"

[split]
train = 898
valid = 899

[standardize]
method = "global"

[model]
name = "mlp"
hidden = [32]
activation = "linear"
initializer = { name = "kaiming_normal", gain = 1.4142135623730951 }

[loss]
name = "bce_with_logits"

[optimizer]
name = "sgd"
learning_rate = 0.2

[training]
num_epochs = 90
batch_size = 70
drop_last = true
objective = { metric = "accuracy" }
`,
    steps: [
      { text: "Train from He's weights.", look: "Below five or not: the accuracy comes to about 0.89." },
      { text: "Begin with zeros.", changes: { "model.initializer": "zeros" }, look: "The histograms of the weights are one bar at zero, and stay so." },
      { text: "Begin with a deviation of 2 / outputs, where 2 / inputs should be the variance: a common mistake.", changes: { "model.initializer": "fan_out_squared" }, look: "The weights of the last layer, which has one output, are far too large, and the first epochs are worse. Is it level after ten?" },
    ],
    answer: [
      "Weights of zero never move: the gradient of each of the two layers is a product with the other layer's weights or outputs, which are zero. The accuracy stays that of a coin.",
      "In a shallow network any scaled start will do. fan_out_squared begins with a validation loss of 1.64 against 0.43 after one epoch, and is level after ten. In deep networks, and with many inputs, the start decides whether anything is learnt.",
    ],
    figures: {
      caption: "Medians of 10 seeds",
      head: ["initialiser", "valid accuracy", "valid loss"],
      rows: [["kaiming_normal", "0.8904", "0.2920"], ["xavier_normal", "0.8904", "0.2910"], ["fan_out_squared", "0.8893", "0.2897"], ["zeros", "0.4939", "0.6933"]],
    },
  },
  {
    id: "one_cycle",
    title: "One cycle",
    page: "docs/lessons/one_cycle.md",
    question: "A one-cycle schedule raises the learning rate to a peak and lowers it to nothing. In five epochs, is that better than the peak rate throughout?",
    prediction: "At which of the rates 0.01, 0.03, 0.1 and 0.3 is one cycle clearly better than a constant rate?",
    choices: ["at 0.01 and 0.03", "only at 0.3", "at all of them", "at none"],
    right: 1,
    pace: 1,
    toml: `# One cycle of the learning rate against a constant rate.
name = "lesson_one_cycle"

${DIGITS}
[model]
name = "mlp"
hidden = [64]
activation = "relu"

[loss]
name = "cross_entropy"

[optimizer]
name = "sgd"
learning_rate = 0.3
momentum = 0.9

[scheduler]
name = "constant"

[training]
num_epochs = 5
batch_size = 32
`,
    steps: [
      { text: "Train at a constant rate of 0.3.", look: "The loss after five epochs. Choose the learning rate in the curves as well." },
      { text: "The same peak in one cycle.", changes: { "scheduler.name": "one_cycle" }, look: "The rate falls to nothing at the end, and the loss with it." },
      { text: "A constant rate of 0.03.", changes: { "optimizer.learning_rate": 0.03 }, look: "A good rate." },
      { text: "One cycle up to 0.03.", changes: { "scheduler.name": "one_cycle", "optimizer.learning_rate": 0.03 }, look: "Is it better or worse than the constant rate? Ten seeds can tell." },
    ],
    answer: [
      "It depends on the rate. Where the constant rate is too small, one cycle is worse, because its mean rate is smaller still: the test loss is 0.068 higher at 0.01, 95 % interval 0.065 to 0.071. Where it is too large, one cycle is far better: 0.48 lower at 0.3, interval 0.39 to 0.62.",
      "At 0.1, the best rate, its gain by test loss is small and not certain with 20 seeds. What is certain is that it forgives a rate that is too high.",
    ],
    figures: {
      caption: "Median test loss of 20 seeds",
      head: ["peak rate", "constant", "one cycle"],
      rows: [["0.01", "0.1822", "0.2493"], ["0.03", "0.1269", "0.1481"], ["0.1", "0.1242", "0.1117"], ["0.3", "0.7111", "0.2060"]],
    },
  },
  {
    id: "batch_norm",
    title: "Batch normalisation",
    page: "docs/lessons/batch_norm_batch_size.md",
    question: "Batch normalisation takes its mean and deviation from the batch. How small may the batch be, and does layer normalisation care?",
    prediction: "In batches of 2, 4, 8 or 32, where does batch normalisation do harm?",
    choices: ["only at 2", "at 2 and 4", "at 2, 4 and 8", "nowhere"],
    right: 1,
    pace: 2,
    toml: `# Batch normalisation and the size of a batch.
name = "lesson_batch_norm"

${DIGITS}
[model]
name = "mlp"
hidden = [64, 64, 64]
activation = "relu"
normalization = "batch"

[loss]
name = "cross_entropy"

[optimizer]
name = "adam"
learning_rate = 0.001

[training]
num_epochs = 10
batch_size = 32
drop_last = true
objective = { metric = "accuracy" }
`,
    steps: [
      { text: "Train in batches of 32 with batch normalisation.", look: "The accuracy comes to about 0.97." },
      { text: "In batches of 4.", changes: { "training.batch_size": 4 }, look: "Compare it with the pinned curve." },
      { text: "In batches of 2.", changes: { "training.batch_size": 2 }, look: "Of two values, one is normalised to nearly +1 and the other to −1." },
      { text: "In batches of 2 with layer normalisation.", changes: { "model.normalization": "layer", "training.batch_size": 2 }, look: "It takes its mean from the row itself." },
    ],
    answer: [
      "In batches of 2, batch normalisation costs 0.30 of test accuracy, 95 % interval 0.28 to 0.34; in batches of 4 still 0.033, interval 0.017 to 0.044. From 8 on no difference from no normalisation can be shown with 10 seeds.",
      "Of two values, one is normalised to nearly +1 and the other to −1 whatever they were, so each layer sees little more than signs. Layer normalisation takes its mean from the row itself, and its median differences from none are within 0.006 at every size.",
    ],
    figures: {
      caption: "Median test accuracy of 10 seeds",
      head: ["batch size", "none", "batch", "layer"],
      rows: [["2", "0.9736", "0.6722", "0.9764"], ["4", "0.9736", "0.9431", "0.9708"], ["8", "0.9722", "0.9694", "0.9708"], ["32", "0.9639", "0.9611", "0.9667"], ["128", "0.9278", "0.9278", "0.9292"]],
    },
  },
  {
    id: "residual",
    title: "Thirty layers",
    page: "docs/lessons/residual_depth.md",
    question: "Thirty hidden layers train worse than three. Do residual connections repair that by themselves?",
    prediction: "Which of these networks of 30 layers fails completely?",
    choices: ["the plain one", "the one with residual connections", "the one with batch normalisation", "the one with both"],
    right: 1,
    pace: 5,
    toml: `# Thirty layers: do residual connections save them?
name = "lesson_residual"

${DIGITS}
[model]
name = "mlp"
hidden = [32, 32, 32]
activation = "relu"
initializer = { name = "kaiming_normal", gain = 1.4142135623730951 }

[loss]
name = "cross_entropy"

[optimizer]
name = "adam"
learning_rate = 0.003

[training]
num_epochs = 30
batch_size = 64
objective = { metric = "accuracy" }
`,
    steps: [
      { text: "Train three layers.", look: "The accuracy comes to about 0.97." },
      { text: "Thirty layers.", changes: { "model.hidden": THIRTY_LAYERS }, look: "It learns late and not as much." },
      { text: "Thirty layers with residual connections.", changes: { "model.hidden": THIRTY_LAYERS, "model.residual": true }, look: "Look at the outputs of the layers: they grow from layer to layer." },
      { text: "With residual connections and batch normalisation.", changes: { "model.hidden": THIRTY_LAYERS, "model.residual": true, "model.normalization": "batch" }, look: "The outputs of all layers have one size, and it trains." },
    ],
    answer: [
      "Not by themselves. Each layer adds a signal as large as its input, so with He's weights the sum grows through thirty layers, and the residual network is the worst of all: 0.58 below the plain thirty layers, 95 % interval 0.38 to 0.64. Batch normalisation alone also makes thirty layers worse, by 0.39. Together they train: 0.12 above the plain network, interval 0.06 to 0.23.",
      "Depth is no gain here: three layers cannot be told from the best deep network.",
    ],
    figures: {
      caption: "Median test accuracy of 10 seeds",
      head: ["network", "test accuracy"],
      rows: [["3 layers", "0.9694"], ["30 layers", "0.8278"], ["30, residual", "0.2681"], ["30, batch norm", "0.4208"], ["30, residual, batch norm", "0.9472"], ["30, residual, small weights", "0.9556"]],
    },
  },
  {
    id: "over_fitting",
    title: "Cures of over-fitting",
    page: "docs/lessons/over_fitting_cures.md",
    question: "A network with nine thousand weights memorises 60 noisy points. What lowers its loss on new points the most?",
    prediction: "Which cure has the lowest test loss, or cannot be told from the lowest, and costs nothing?",
    choices: ["dropout of 0.5", "an L2 penalty of 0.01", "early stopping", "twice the data"],
    right: 2,
    pace: 60,
    toml: `# Which cure of over-fitting helps most?
name = "lesson_over_fitting"

[dataset]
name = "moons"
num_samples = 3000
noise = 0.5

[split]
train = 60
valid = 300
test = 2000

[model]
name = "mlp"
hidden = [128, 64]
activation = "relu"

[loss]
name = "bce_with_logits"

[optimizer]
name = "adam"
learning_rate = 0.002

[training]
num_epochs = 600
batch_size = "full"
train_metrics = "evaluated"
`,
    steps: [
      { text: "Train without a cure.", look: "The boundary bends around single points. The validation loss turns after some epochs and rises, while the training loss falls and falls." },
      { text: "Leave out half of the units by turns.", changes: { "model.dropout": 0.5 }, look: "The boundary is smoother. The loss still rises, later and less." },
      { text: "An L2 penalty instead.", changes: { "training.penalty": { l2: 0.01 } }, look: "Compare the histograms of the weights." },
      { text: "Stop early instead.", changes: { "training.early_stopping": { patience: 10 } }, look: "It stops ten epochs after the lowest validation loss." },
      { text: "Ten times the data instead.", changes: { "split.train": 600 }, look: "There is no room to memorise 600 points: the boundary is the honest one." },
    ],
    answer: [
      "All help, p = 0.0098 corrected. Ten times the data lowers the test loss most, by 1.92, 95 % interval 1.55 to 3.59, but early stopping cannot be told from it, and it costs nothing. L2 comes next. Dropout still over-fits slowly, and twice the data only puts the memorising off.",
      "Early stopping needs its 300 validation points, five times as many as there are to train on.",
    ],
    figures: {
      caption: "Medians of 10 seeds on 2000 new points",
      head: ["cure", "test loss", "test accuracy"],
      rows: [["none", "2.349", "0.7298"], ["dropout 0.5", "0.917", "0.7762"], ["L2 0.01", "0.553", "0.7830"], ["early stopping", "0.507", "0.8000"], ["twice the data", "1.334", "0.7605"], ["ten times the data", "0.474", "0.8113"]],
    },
  },
  {
    id: "imbalance",
    title: "Imbalance",
    page: "docs/lessons/imbalance.md",
    question: "One row in 21 is of the rare class. A network finds it with an accuracy of 0.97. What does that hide, and what do class weights change?",
    prediction: "Of 100 rare cases, how many does the plain network find?",
    choices: ["about 97", "about 75", "about 44", "none"],
    right: 2,
    pace: 5,
    toml: `# One positive in 21: what accuracy hides.
name = "lesson_imbalance"

[dataset]
name = "classification"
num_samples = 10000
num_features = 2
num_redundant = 0
num_clusters_per_class = 1
weights = [0.9524, 0.0476]
flip_y = 0.0
class_sep = 0.7
seed = 1

[split]
method = "stratified"
train = 2000
valid = 2000
test = 6000

[model]
name = "mlp"
hidden = [16]
activation = "relu"

[loss]
name = "bce_with_logits"

[optimizer]
name = "adam"
learning_rate = 0.01

[training]
num_epochs = 30
batch_size = 64
objective = { metric = "accuracy" }
`,
    steps: [
      { text: "Train the plain network.", look: "The accuracy is high. How many of the rare points lie on their side of the boundary?" },
      { text: "Weigh the classes.", changes: { "training.class_weights": "balanced" }, look: "The boundary moves and takes in nearly all rare points, and many others. The accuracy falls." },
    ],
    answer: [
      "A network that always says “no” has an accuracy of 0.9525, and the plain one misses more than half of the rare cases: its recall is 0.44. Class weights raise it to 0.97, by 0.52, 95 % interval 0.47 to 0.54. They cost 0.060 of accuracy.",
      "The price is precision, which falls from 0.81 to 0.33: two of three alarms are false. A threshold of 0.0476, the share of the rare class, does nearly the same to the plain network without training anew. So weights mostly move the boundary, and which one is right depends on what a miss and a false alarm cost.",
    ],
    figures: {
      caption: "Medians of 10 seeds on the test rows",
      head: ["network", "threshold", "accuracy", "precision", "recall"],
      rows: [["plain", "0.5", "0.9676", "0.8112", "0.4353"], ["plain", "0.0476", "0.9078", "0.3363", "0.9615"], ["class weights", "0.5", "0.9067", "0.3344", "0.9650"]],
    },
  },
  {
    id: "label_noise",
    title: "Wrong labels",
    page: "docs/lessons/label_noise.md",
    question: "Two labels in five are replaced by a random class of the four. How much does that cost, and does label smoothing or early stopping get some of it back?",
    prediction: "The test labels are noisy too. How high can the accuracy on them be at best?",
    choices: ["0.60", "0.70", "0.90", "1.00"],
    right: 1,
    pace: 10,
    toml: `# Wrong labels, label smoothing and early stopping.
name = "lesson_label_noise"

[dataset]
name = "classification"
num_samples = 11000
num_features = 10
num_informative = 5
num_redundant = 0
num_classes = 4
flip_y = 0.4
class_sep = 1.5
seed = 1

[split]
train = 1000
valid = 2000
test = 8000

[standardize]
method = "per_feature"

[model]
name = "mlp"
hidden = [64]
activation = "relu"

[loss]
name = "cross_entropy"

[optimizer]
name = "sgd"
learning_rate = 0.1
momentum = 0.9

[training]
num_epochs = 60
batch_size = 32
objective = { metric = "accuracy" }
`,
    steps: [
      { text: "Train on the noisy labels.", look: "Choose the accuracy in the curves. The validation accuracy is highest after about five epochs and then falls." },
      { text: "Smooth the labels by 0.5.", changes: { "loss.label_smoothing": 0.5 }, look: "It falls less. The losses cannot be compared: a smoothed loss has another minimum." },
      { text: "Stop early instead.", changes: { "training.early_stopping": { patience: 3 } }, look: "The network learns the clouds before it learns the wrong labels." },
      { text: "For comparison: right labels.", changes: { "dataset.flip_y": 0 }, look: "The same network reaches 0.90." },
    ],
    answer: [
      "Of 100 rows, 40 get a random class, which is the old one in 10, so a perfect network scores 0.70. The 0.49 with noise is 0.64 by the right labels, against 0.90 without noise.",
      "Smoothing of 0.5 gains 0.029, 95 % interval 0.021 to 0.045, and early stopping gains most, 0.059, interval 0.040 to 0.071. With right labels, smoothing of 0.5 makes no difference that ten seeds can show.",
    ],
    figures: {
      caption: "Medians of 10 seeds",
      head: ["labels", "test accuracy", "train accuracy"],
      rows: [["right", "0.9027", "1.0000"], ["noise", "0.4852", "0.7715"], ["noise, smoothing 0.5", "0.5121", "0.7540"], ["noise, smoothing 0.8", "0.5195", "0.7025"], ["noise, early stopping", "0.5459", "0.6575"]],
    },
  },
  {
    id: "double_descent",
    title: "Double descent",
    page: "docs/lessons/double_descent.md",
    question: "Networks of one hidden layer learn 200 points, a fifth of them with a random label. How does the loss on new points change with the width?",
    prediction: "From 1 unit over 10 to 256, the validation loss …",
    choices: ["falls throughout", "rises throughout", "falls and rises again", "rises and falls again"],
    right: 3,
    pace: null,
    toml: `# Double descent: can a network be too wide, and then wide enough?
name = "lesson_double_descent"

[dataset]
name = "classification"
num_samples = 5200
num_features = 20
num_informative = 10
num_redundant = 0
flip_y = 0.2
class_sep = 1.0
seed = 1

[split]
train = 200
valid = 5000

[standardize]
method = "per_feature"

[model]
name = "mlp"
hidden = [1]
activation = "relu"

[loss]
name = "mse"

[optimizer]
name = "adam"
learning_rate = 0.01

[training]
num_epochs = 2000
batch_size = "full"
`,
    steps: [
      { text: "Train one hidden unit.", look: "It cannot fit all points: the training loss stops far above zero." },
      { text: "Ten units.", changes: { "model.hidden": [10] }, look: "They are just able to fit all points. The validation loss rises for the whole training. Look at the size of the weights." },
      { text: "256 units.", changes: { "model.hidden": [256] }, look: "They fit all points as well. Does the validation loss rise as much?" },
    ],
    answer: [
      "It rises and falls again. From one unit to eight the median validation loss grows from 0.19 to 0.70; from 12 to 256 it falls to 0.32, by 0.33, 95 % interval 0.22 to 0.46. The peak is where the network is just able to fit all points: a width h has 22 h + 1 weights, and 200 is reached at nine units. There only few sets of weights fit the noise, and they are large. A wider network has many, and finds smoother ones.",
      "The second descent does not beat the first: 256 units are still 0.14 worse than one, interval 0.06 to 0.17.",
    ],
    figures: {
      caption: "Median validation loss of 10 seeds",
      head: ["units", "1", "2", "4", "8", "12", "32", "64", "256"],
      rows: [["loss", "0.189", "0.215", "0.313", "0.697", "0.638", "0.375", "0.336", "0.320"]],
    },
  },
];
