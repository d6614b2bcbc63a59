"""What the public tables and views are and what their columns mean: the reference, the tests and the readers
go by this.

A column is `name: TYPE meaning [unit]`; `TYPE?` may be null. The order is that of the database.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class PublicColumn:
    """One column: its SQL type (`INTEGER`, `REAL`, `TEXT` or `ANY`), whether it may be null, what it says."""

    name: str
    kind: str
    nullable: bool
    meaning: str


@dataclass(frozen=True)
class Relation:
    """A public table or view, with a question that it answers."""

    name: str
    meaning: str
    columns: tuple[PublicColumn, ...]
    example: str

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def _relation(name: str, meaning: str, example: str, columns: str) -> Relation:
    parsed = []
    for line in columns.strip().splitlines():
        column, rest = line.strip().split(": ", 1)
        kind, text = rest.split(" ", 1)
        parsed.append(PublicColumn(column, kind.rstrip("?"), kind.endswith("?"), text))
    return Relation(name, meaning, tuple(parsed), example)


_RUN: Final = """\
run_id: INTEGER number of the run in this store
run_key: TEXT identity of the run in any store: sha256 of its spec, seed, data and numerics, hex
status: TEXT queued, running, done, diverged, failed or cancelled
outcome: TEXT? how it ended: horizon (all epochs), solved, early_stop or diverged
data: TEXT name of its data
loss: TEXT name of the loss
hidden: TEXT units of each hidden layer, JSON
depth: INTEGER number of hidden layers
activation: TEXT? name of the hidden layers' activation; several are separated by commas
output: TEXT name of the output layer's activation
init: TEXT scheme of the initial weights
optimizer: TEXT name of the optimizer
learning_rate: REAL? step size
batch_size: INTEGER? examples a step; null: all
seed: INTEGER seed of everything random in it
epochs: INTEGER epochs it is to be trained for
epochs_done: INTEGER epochs it has been trained for
initial_loss: REAL? loss at epoch 0
final_loss: REAL? loss at the last recorded epoch
best_loss: REAL? smallest loss at a recorded epoch
best_epoch: INTEGER? the epoch of best_loss
final_accuracy: REAL? accuracy at the last recorded epoch, share
final_mean_abs_error: REAL? mean |y − h| at the last recorded epoch
final_validation_loss: REAL? validation loss at the last recorded epoch
final_validation_accuracy: REAL? validation accuracy at the last recorded epoch, share
best_validation_loss: REAL? smallest validation loss at a recorded epoch
best_validation_epoch: INTEGER? the epoch of best_validation_loss
solved_epoch: INTEGER? first epoch that met `success`: of recorded ones with mini-batches or validation data
diverged_epoch: INTEGER? first judged epoch (mini-batches: recorded) with non-finite loss, gradient or weight
diverged_layer: INTEGER? first layer, from the input, in which it was found at that epoch
error: TEXT? why it failed
environment: TEXT? where it was trained last: versions and processor features, JSON
environment_changed: INTEGER 1 when several environments trained it: its bits may differ
created_at: TEXT when it was first submitted, ISO-8601 UTC
finished_at: TEXT? when it ended, ISO-8601 UTC
seconds: REAL computing time, its share of its stack's [s]
data_digest: TEXT sha256 of its data, hex
scaling: TEXT? how the features were scaled: mean and standard deviation of the training part, JSON
spec: TEXT everything that makes the run but data and seed, JSON
"""

_RELATIONS: Final = (
    _relation(
        "experiments",
        "One row for each submitted spec; the same name with other content is the next revision.",
        "SELECT experiment, runs, submitted_at FROM experiments WHERE newest",
        """
        experiment: TEXT full name, such as xor@2
        name: TEXT name in the spec
        revision: INTEGER 1, 2, … among experiments of this name
        newest: INTEGER 1 for the newest revision of the name, else 0
        description: TEXT free text of the spec
        submitted_at: TEXT when it was first submitted, ISO-8601 UTC
        runs: INTEGER number of its runs
        epochs: INTEGER epochs that it asks of each run
        spec: TEXT the spec with all defaults written out, JSON
        """,
    ),
    _relation(
        "experiment_runs",
        "Which runs belong to which experiments; a run may belong to several.",
        "SELECT experiment, count(*) AS runs FROM experiment_runs GROUP BY experiment",
        """
        experiment: TEXT full name of the experiment
        name: TEXT its name
        newest: INTEGER 1 when it is the newest revision of its name, else 0
        run_id: INTEGER the run
        epochs: INTEGER epochs this experiment asks of the run
        """,
    ),
    _relation(
        "runs",
        "One row for each run: one network, trained from one seed.",
        "SELECT loss, count(*) AS runs, count(solved_epoch) AS solved FROM runs GROUP BY loss",
        _RUN,
    ),
    _relation(
        "results",
        "The runs of each experiment as of its own last epoch, whatever others added: what reports say.",
        "SELECT loss, count(solved_epoch) AS solved FROM results WHERE experiment = 'xor@1' GROUP BY loss",
        f"""
        experiment: TEXT full name of the experiment
        name: TEXT its name
        newest: INTEGER 1 when it is the newest revision of its name, else 0
        target_epochs: INTEGER epochs this experiment asks of the run
        {_RUN}
        """,
    ),
    _relation(
        "factors",
        "What a sweep varied: every swept path of an experiment, for every run.",
        "SELECT label, value, count(*) AS runs FROM factors WHERE experiment = 'xor@1' GROUP BY label, value",
        """
        experiment: TEXT full name of the experiment
        run_id: INTEGER the run
        name: TEXT the swept path, such as training.learning_rate
        label: TEXT its short form, such as learning_rate
        value: ANY? a number, or a text such as leaky_relu(alpha=0.1)
        """,
    ),
    _relation(
        "epochs",
        "One row for each recorded epoch: the full training set at the parameters after that many epochs.",
        "SELECT epoch, loss, accuracy FROM epochs WHERE run_id = 1 ORDER BY epoch",
        """
        run_id: INTEGER the run
        epoch: INTEGER epochs trained so far; 0 is the initial state
        loss: REAL? data loss, reduced over examples as the spec says, without penalties
        log_likelihood: REAL? log likelihood summed over examples, rising as on the lecture's slides [nat]
        accuracy: REAL? share of examples that are right; null for real targets
        mean_abs_error: REAL? mean |y − h| over examples and outputs
        max_error: REAL? largest |y − h|
        gradient_l2: REAL? Euclidean norm of the loss's gradient over all parameters
        validation_loss: REAL? loss on the validation part
        validation_accuracy: REAL? accuracy on the validation part, share
        sharpness: REAL? largest eigenvalue of the Hessian of the loss, on request (`record.series`)
        """,
    ),
    _relation(
        "layer_gradients",
        "One row for each layer at each recorded epoch.",
        "SELECT layer, delta_rms FROM layer_gradients WHERE run_id = 1 AND epoch = 0 ORDER BY layer",
        """
        run_id: INTEGER the run
        epoch: INTEGER epochs trained so far
        layer: INTEGER 1 is the first hidden layer; the last is the output layer
        delta_rms: REAL? the lecture's signal: RMS over examples and units of ∂(one example's loss)/∂z
        gradient_l2: REAL? Euclidean norm of the gradient of weights, biases and learned knobs
        gradient_mean_abs: REAL? mean absolute value of the same gradient
        gradient_max_abs: REAL? largest absolute value of the same gradient
        weight_l2: REAL? Euclidean norm of the layer's weights, biases and learned knobs
        saturated: REAL? share of (example, unit) with |f′| below 5 % of its maximum; null for softmax
        dead: REAL? share of units with f′ = 0 on every example; null for softmax
        w_dot_g: REAL? ⟨W, ∂loss/∂W⟩ of the layer's weights, on request (`record.series`)
        b_dot_g: REAL? ⟨b, ∂loss/∂b⟩ of its biases, on request
        """,
    ),
    _relation(
        "parameters",
        "One row for each parameter at each recorded epoch, of runs that ask for it (`record.parameters`).",
        "SELECT epoch, value, gradient FROM parameters WHERE run_id = 1 AND name = 'w13' ORDER BY epoch",
        """
        run_id: INTEGER the run
        epoch: INTEGER epochs trained so far
        layer: INTEGER 1 is the first hidden layer
        source: INTEGER? unit of the layer below (or input) it leads from, counted from 1; 0 for a bias
        unit: INTEGER? unit of the layer it leads to, counted from 1; null for a learned knob
        name: TEXT in the lecture's notation: w13 leads from unit 1 to unit 3; alpha_1 is a knob of layer 1
        value: REAL? its value
        gradient: REAL? ∂loss/∂(the parameter)
        """,
    ),
    _relation(
        "datasets",
        "The data, as parsed when they were submitted; known by the digest of their content.",
        "SELECT data, examples, inputs, json_array_length(classes) AS classes FROM datasets",
        """
        data: TEXT name: the generator's, or the file's; of several for the same content the shortest
        digest: TEXT sha256 of the content, hex
        examples: INTEGER number of examples
        inputs: INTEGER number of features
        targets: INTEGER number of target columns
        features: TEXT names of the features, JSON
        target_names: TEXT names of the target columns, JSON
        classes: TEXT? names of the classes, JSON; null for numeric targets
        scaling: TEXT? every scaling in use: mean and standard deviation of a training part, JSON list
        """,
    ),
    _relation(
        "schedules",
        "What is planned: specs that are submitted again and again, and when.",
        "SELECT schedule, cron, timezone, decided_until FROM schedules WHERE NOT paused",
        """
        schedule: TEXT its name
        cron: TEXT when it fires: minute, hour, day of month, month, day of week
        timezone: TEXT IANA name of the zone whose clock that is
        fresh: TEXT what is new each time: data (files are read again), seeds (the next block) or none
        missed: TEXT what becomes of occurrences that nobody fired: latest, all or skip
        overlap: TEXT what happens while runs of an earlier occurrence go on: skip or allow
        paused: INTEGER 1 while nothing is submitted, else 0
        decided_until: TEXT last instant that was decided, or when it was added, ISO-8601 UTC
        report: TEXT? folder of its reports
        created_at: TEXT when it was added, ISO-8601 UTC
        spec: TEXT the spec as it was written when the schedule was added, JSON
        """,
    ),
    _relation(
        "occurrences",
        "What was decided at each instant of a schedule; each is decided exactly once.",
        "SELECT schedule, decision, count(*) AS times FROM occurrences GROUP BY schedule, decision",
        """
        schedule: TEXT name of the schedule
        instant: TEXT when it was due, ISO-8601 UTC
        planned: INTEGER 1 when cron named the instant, 0 for `bpsvc schedule run`
        decision: TEXT submitted, skipped_misfire, skipped_overlap or rejected
        why: TEXT? why it was skipped, or what was wrong with spec or data
        experiment: TEXT? full name of what was submitted
        new_runs: INTEGER? how many runs of it the store did not have yet
        decided_at: TEXT when that was decided, ISO-8601 UTC
        ended_at: TEXT? when all of its runs were found to have ended, ISO-8601 UTC
        met: INTEGER? 1 when everything the spec expects held, else 0; null without expectations
        report: TEXT? page of its report, or "not written: " and why
        """,
    ),
)

PUBLIC: Final[Mapping[str, Relation]] = {relation.name: relation for relation in _RELATIONS}
