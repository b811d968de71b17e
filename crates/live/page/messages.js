// The types of all messages. Written by the tests of the crate `live` with EMBERLAB_BLESS=1: do not edit.

/**
 * A key of the experiment and its new value.
 * @typedef {Object} Change
 * @property {string} key The key with its tables, such as `optimizer.learning_rate`.
 * @property {*} value The value; `null` removes the key, so that it has its default.
 */

/**
 * Begin anew with the experiment in this TOML text.
 * @typedef {Object} LoadRequest
 * @property {"load"} type
 * @property {string} text The text.
 */

/**
 * Change keys of the experiment, all of them or none. The training goes on with the new values where it can; it begins anew where they change the network or its data.
 * @typedef {Object} SetRequest
 * @property {"set"} type
 * @property {Array<Change>} changes The changes.
 */

/**
 * Begin anew with a first experiment for a table that was sent to `/tables`.
 * @typedef {Object} TableRequest
 * @property {"table"} type
 * @property {number} table The number of the table, as `/tables` has answered.
 * @property {string} label The column to learn.
 */

/**
 * Train.
 * @typedef {Object} RunRequest
 * @property {"run"} type
 */

/**
 * Stop after the step under way.
 * @typedef {Object} PauseRequest
 * @property {"pause"} type
 */

/**
 * Train this number of steps, then stop; at most the rest of the epoch under way.
 * @typedef {Object} StepRequest
 * @property {"step"} type
 * @property {number} count The number of steps, at least 1.
 */

/**
 * Train to the end of the epoch under way, then stop.
 * @typedef {Object} EpochRequest
 * @property {"epoch"} type
 */

/**
 * Begin anew with the weights of the seed.
 * @typedef {Object} ResetRequest
 * @property {"reset"} type
 */

/**
 * Train at most this number of epochs a second.
 * @typedef {Object} PaceRequest
 * @property {"pace"} type
 * @property {(number|null)} epochs_per_second Epochs a second; positive. Without a number: as fast as possible.
 */

/**
 * Show the plane of two columns, all others at their mean; without columns, the plane of the two principal components.
 * @typedef {Object} ViewRequest
 * @property {"view"} type
 * @property {(Array<number>|null)} columns The numbers of two columns.
 */

/**
 * Explain how the network computes its outputs for a point of the plane.
 * @typedef {Object} ExplainRequest
 * @property {"explain"} type
 * @property {Array<number>} point The point, in units of the axes.
 */

/**
 * The page no longer needs a frame, because it has drawn it or has a newer one. It has two at most.
 * @typedef {Object} ShownRequest
 * @property {"shown"} type
 * @property {number} frame The number of the frame.
 */

/**
 * Train an experiment with several seeds in the background, or two to compare them.
 * @typedef {Object} SeedsRequest
 * @property {"seeds"} type
 * @property {number} count The number of seeds, at least 2.
 * @property {Array<string>} experiments The experiments as TOML: the present one, and another one to compare it with.
 */

/**
 * Stop the trainings in the background.
 * @typedef {Object} StopSeedsRequest
 * @property {"stop_seeds"} type
 */

/**
 * Save the training as a run, which `emberlab` can evaluate, report and resume.
 * @typedef {Object} SaveRequest
 * @property {"save"} type
 * @property {(string|null)} name The name of the run; without one, the time and the seed.
 */

/**
 * The first message of a connection.
 * @typedef {Object} Hello
 * @property {string} program The version of the program.
 * @property {string} artifacts The folder in which runs are saved.
 * @property {Array<string>} devices The devices of this machine that the program can train on.
 */

/**
 * The experiment.
 * @typedef {Object} Setting
 * @property {string} toml As TOML, with comments. `emberlab train` trains it to the same numbers that the page shows, if nothing was changed during the training.
 * @property {*} values All keys with their values, defaults included.
 */

/**
 * A named range.
 * @typedef {Object} Axis
 * @property {string} name The name of a column, or of a direction through several columns.
 * @property {number} from The lower end, in units of the column.
 * @property {number} to The upper end, in units of the column.
 */

/**
 * An array behind the JSON of a message.
 * @typedef {Object} Slice
 * @property {number} start Its first byte, counted from the end of the JSON; a multiple of four.
 * @property {number} length Its length in bytes.
 */

/**
 * A layer with weights.
 * @typedef {Object} LayerShape
 * @property {string} layer Its name, such as `layers.0`.
 * @property {number} inputs The number of its inputs; of channels for a convolution.
 * @property {number} units The number of its units; of channels for a convolution.
 * @property {string} activation The activation function behind it.
 * @property {string} normalization The normalisation behind it; `none` without one.
 * @property {number} dropout The share of its units that dropout leaves out.
 */

/**
 * The data and the network.
 * @typedef {Object} Scene
 * @property {number} scene The number of the scene. The page drops frames, layers and epochs of another scene.
 * @property {string} dataset The name of the data set.
 * @property {Array<string>} columns The columns of the data.
 * @property {Array<string>} inputs The inputs of the network.
 * @property {Array<string>} classes The names of the classes; empty for a regression.
 * @property {(Array<number>|null)} targets The range of the targets of a regression.
 * @property {Array<number>} num_rows The numbers of training, validation and test rows.
 * @property {Axis} x The horizontal axis of the plane.
 * @property {Axis} y The vertical axis of the plane.
 * @property {string} note How the plane was chosen; empty if there are two columns only.
 * @property {(Array<number>|null)} plane_columns The columns of the plane; none for principal components.
 * @property {Slice} points Positions of rows in the plane, at most 2000: `[num_points × 2]`, 32-bit floats.
 * @property {Slice} values The class or the target of each of them: `[num_points]`, 32-bit floats.
 * @property {Slice} splits The split of each of them: `[num_points]` bytes, 0 training, 1 validation, 2 test.
 * @property {Array<LayerShape>} layers The layers with weights, from the inputs to the outputs.
 * @property {number} num_parameters Trainable parameters.
 * @property {string} trained_by The engine that trains the network, such as `fused kernels`.
 * @property {number} steps_per_epoch The number of steps of an epoch.
 * @property {Array<string>} notes Sentences about the data: what was found or left out when they were read, and what is often a mistake.
 */

/**
 * The progress of the training.
 * @typedef {Object} Status
 * @property {boolean} is_running Whether it trains now.
 * @property {number} epoch Epochs done.
 * @property {number} step_in_epoch Steps done in the epoch under way.
 * @property {number} step Steps done in all epochs.
 * @property {number} num_epochs Epochs planned.
 * @property {number} steps_per_second Steps a second, of the last second.
 * @property {(number|null)} epochs_per_second Epochs a second at most, if that is limited.
 * @property {string} ending The reason why it does not go on, such as `completed`, `stopped early`, or an error; empty if it can.
 * @property {boolean} is_altered Whether something was changed since the first step.
 */

/**
 * Two classes.
 * @typedef {Object} BinaryField
 * @property {"binary"} kind
 * @property {number} side Points in a row, and rows; the lowest row first.
 * @property {Slice} probabilities The probability of class 1, in steps of 1/255: `[side × side]` bytes.
 */

/**
 * More classes.
 * @typedef {Object} MulticlassField
 * @property {"multiclass"} kind
 * @property {number} side Points in a row, and rows; the lowest row first.
 * @property {Slice} classes The predicted class: `[side × side]` bytes.
 * @property {Slice} probabilities Its probability, in steps of 1/255: `[side × side]` bytes.
 */

/**
 * A regression.
 * @typedef {Object} ValuesField
 * @property {"values"} kind
 * @property {number} side Points in a row, and rows; the lowest row first.
 * @property {Slice} values The predicted value: `[side × side]`, 32-bit floats.
 */

/** @typedef {(BinaryField|MulticlassField|ValuesField)} Field */

/**
 * Maps of the plane by one layer: outputs of its units after the activation function.
 * @typedef {Object} UnitMaps
 * @property {string} layer The layer.
 * @property {number} units The number of units that have a map, the first ones.
 * @property {number} side Points in a row, and rows, of each map; the lowest row first.
 * @property {Array<number>} scales The largest size of a number in each map.
 * @property {Slice} values `[units × side × side]` bytes: 1 is minus the scale, 128 zero, 255 the scale.
 */

/**
 * The weights of one dense layer.
 * @typedef {Object} Weights
 * @property {string} layer The layer.
 * @property {number} inputs The number of its inputs that are included, the first ones.
 * @property {number} units The number of its units that are included, the first ones.
 * @property {Slice} weights `[inputs × units]`, 32-bit floats, input by input.
 * @property {Slice} biases `[units]`, 32-bit floats; empty without biases.
 */

/**
 * The network at one moment.
 * @typedef {Object} Frame
 * @property {number} frame Its number. The page reports that it has drawn it, and gets the next one.
 * @property {number} scene The scene that it belongs to.
 * @property {number} epoch Epochs done, as a fraction.
 * @property {number} step Steps done.
 * @property {(Field|null)} field The prediction over the plane; none if a number is NaN, or with too many classes.
 * @property {Array<UnitMaps>} maps The inputs over the plane, then the layers.
 * @property {Array<Weights>} weights The weights of dense layers.
 */

/**
 * The metrics of one epoch.
 * @typedef {Object} EpochRow
 * @property {number} epoch Epochs done, counted from 1.
 * @property {number} learning_rate The learning rate of its last step.
 * @property {Object<string, (number|null)>} train Metrics of the training rows by their names; `null` for NaN and infinity.
 * @property {Object<string, (number|null)>} valid Metrics of the validation rows; empty if there are none.
 */

/**
 * Learning curves.
 * @typedef {Object} Epochs
 * @property {number} scene The scene that they belong to.
 * @property {boolean} is_whole Whether these are all rows; otherwise they follow those that were sent before.
 * @property {Array<EpochRow>} rows The rows. In a long training some are left out, evenly.
 */

/**
 * One change of the experiment during the training.
 * @typedef {Object} Event
 * @property {number} epoch Epochs done before it.
 * @property {string} text The change, such as `optimizer.learning_rate: 0.1 → 0.01`.
 */

/**
 * Changes of the experiment during the training.
 * @typedef {Object} Events
 * @property {number} scene The scene that they belong to.
 * @property {Array<Event>} events All of them.
 */

/**
 * One layer at one moment.
 * @typedef {Object} LayerState
 * @property {string} layer Its name.
 * @property {(number|null)} activation_mean Mean of its outputs after the activation function; `null` for NaN, as below.
 * @property {(number|null)} activation_std Their standard deviation.
 * @property {number} dead Share of units that are zero for every row, where that makes them dead.
 * @property {number} saturated Share of saturated outputs.
 * @property {(number|null)} weight_norm Norm of the weights.
 * @property {(number|null)} gradient_norm Norm of their gradient.
 * @property {(number|null)} update_ratio Norm of the last step's change of the weights over the norm of the weights.
 * @property {Bins} activations Outputs in bins.
 * @property {Bins} weights Weights in bins.
 * @property {Bins} gradients Gradients of the weights in bins.
 */

/**
 * A histogram with bins of equal width.
 * @typedef {Object} Bins
 * @property {(number|null)} low The lower edge of the first bin; `null` if no value is finite.
 * @property {(number|null)} high The upper edge of the last bin.
 * @property {Array<number>} counts The number of values in each bin.
 */

/**
 * The layers at one moment, on rows that stay the same.
 * @typedef {Object} Layers
 * @property {number} scene The scene that they belong to.
 * @property {number} epoch Epochs done, as a fraction.
 * @property {Array<LayerState>} layers A row for each layer with weights.
 */

/**
 * One problem of the training.
 * @typedef {Object} Found
 * @property {string} title Its kind in words, such as `dead ReLUs`.
 * @property {string} severity `error` or `warning`.
 * @property {string} summary One sentence about it.
 * @property {Array<string>} evidence The measured numbers that show it, a sentence each.
 * @property {Array<Remedy>} remedies Remedies to try, the best first.
 */

/**
 * A remedy.
 * @typedef {Object} Remedy
 * @property {string} text In words.
 * @property {Array<Change>} changes The changes that it consists of; empty if the page cannot do it.
 */

/**
 * A key of the experiment and its new value.
 * @typedef {Object} Change
 * @property {string} key The key with its tables, such as `optimizer.learning_rate`.
 * @property {*} value The value; `null` removes the key, so that it has its default.
 */

/**
 * Problems of the training.
 * @typedef {Object} Findings
 * @property {number} scene The scene that they belong to.
 * @property {Array<Found>} findings All of them, the most severe first.
 */

/**
 * One input of the network.
 * @typedef {Object} InputValue
 * @property {string} name Its name.
 * @property {number} raw Its value in the data.
 * @property {number} standardized The value that the network gets.
 */

/**
 * The outputs of one layer for one point, the first 64 units.
 * @typedef {Object} LayerValues
 * @property {string} layer Its name.
 * @property {Array<(number|null)>} sums Sums of weighted inputs and bias.
 * @property {Array<(number|null)>} outputs After normalisation and activation function.
 */

/**
 * How the network computes its outputs for a point.
 * @typedef {Object} Explanation
 * @property {number} scene The scene that it belongs to.
 * @property {Array<number>} point The point, in units of the axes.
 * @property {Array<InputValue>} inputs The inputs of the network with their names, as they are in the data and standardised.
 * @property {Array<LayerValues>} layers The layers with weights, from the inputs to the outputs.
 * @property {string} prediction The prediction in words.
 */

/**
 * The results of several seeds so far.
 * @typedef {Object} SeedsState
 * @property {number} done Trainings done.
 * @property {number} total Trainings in all; 0 if none was asked for.
 * @property {string} metric The metric that is compared, such as `valid loss`.
 * @property {Array<Array<(number|null)>>} values The final values of each experiment, seed by seed; `null` for NaN.
 * @property {Array<string>} answer The answer in plain sentences, when all are done.
 * @property {string} error An error that has ended it; empty if there is none.
 */

/**
 * The training is saved as a run.
 * @typedef {Object} Saved
 * @property {string} run Its name, `experiment/run`.
 * @property {string} path Its folder.
 */

/**
 * A request cannot be met.
 * @typedef {Object} Problem
 * @property {string} message The reason, and what would be valid.
 * @property {string} key The key of the experiment that it is about; empty if it is about none.
 */

/**
 * The first message of a connection.
 * @typedef {Hello & {type: "hello"}} HelloMessage
 */

/**
 * The experiment, after every change.
 * @typedef {Setting & {type: "setting"}} SettingMessage
 */

/**
 * The data and the network, after every change of them.
 * @typedef {Scene & {type: "scene"}} SceneMessage
 */

/**
 * The progress of the training.
 * @typedef {Status & {type: "status"}} StatusMessage
 */

/**
 * The network at one moment.
 * @typedef {Frame & {type: "frame"}} FrameMessage
 */

/**
 * Learning curves.
 * @typedef {Epochs & {type: "epochs"}} EpochsMessage
 */

/**
 * Changes of the experiment during the training.
 * @typedef {Events & {type: "events"}} EventsMessage
 */

/**
 * The layers at one moment.
 * @typedef {Layers & {type: "layers"}} LayersMessage
 */

/**
 * Problems of the training, all of them.
 * @typedef {Findings & {type: "findings"}} FindingsMessage
 */

/**
 * How the network computes its outputs for a point.
 * @typedef {Explanation & {type: "explanation"}} ExplanationMessage
 */

/**
 * The results of several seeds so far.
 * @typedef {SeedsState & {type: "seeds"}} SeedsMessage
 */

/**
 * The training is saved as a run.
 * @typedef {Saved & {type: "saved"}} SavedMessage
 */

/**
 * A request cannot be met. Nothing has changed.
 * @typedef {Problem & {type: "problem"}} ProblemMessage
 */

export {};
