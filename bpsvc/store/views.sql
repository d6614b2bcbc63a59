-- The public views. `catalog.py` says what each column means; a test holds the two together.
-- Plain SQL that any SQLite from 3.37 on understands: no function of bpsvc's own.

CREATE VIEW experiments AS
SELECT
    e.name || '@' || e.revision AS experiment,
    e.name,
    e.revision,
    e.revision = (SELECT max(o.revision) FROM _experiment o WHERE o.name = e.name) AS newest,
    e.description,
    e.submitted_at,
    (SELECT count(*) FROM _membership m WHERE m.experiment_id = e.id) AS runs,
    e.epochs,
    e.spec
FROM _experiment e;

CREATE VIEW experiment_runs AS
SELECT
    e.name || '@' || e.revision AS experiment,
    e.name,
    e.revision = (SELECT max(o.revision) FROM _experiment o WHERE o.name = e.name) AS newest,
    m.run_id,
    m.epochs
FROM _experiment e
JOIN _membership m ON m.experiment_id = e.id;

CREATE VIEW runs AS
SELECT
    r.id AS run_id,
    r.key AS run_key,
    r.status,
    r.outcome,
    d.label AS data,
    p.loss,
    p.hidden,
    p.depth,
    p.activation,
    p.output,
    p.init,
    p.optimizer,
    p.learning_rate,
    p.batch_size,
    r.seed,
    r.epochs,
    r.epochs_done,
    r.initial_loss,
    r.final_loss,
    r.best_loss,
    r.best_epoch,
    r.final_accuracy,
    r.final_mean_abs_error,
    r.final_validation_loss,
    r.final_validation_accuracy,
    r.best_validation_loss,
    r.best_validation_epoch,
    r.solved_epoch,
    r.diverged_epoch,
    r.diverged_layer,
    r.error,
    v.content AS environment,
    r.environment_changed,
    r.created_at,
    r.finished_at,
    r.seconds,
    d.digest AS data_digest,
    s.content AS scaling,
    p.spec
FROM _run r
JOIN _recipe p ON p.id = r.recipe_id
JOIN _dataset d ON d.id = r.dataset_id
LEFT JOIN _scaling s ON s.id = r.scaling_id
LEFT JOIN _environment v ON v.id = r.environment_id;

-- A run that another experiment trains further stands as it did when this one's last epoch was committed. As long
-- as it waits for its first epoch it has no state at all, not even that of epoch 0. Of a segment that goes beyond
-- it has the share of seconds that its epochs have.
CREATE VIEW results AS
WITH seen AS (
    SELECT
        m.experiment_id,
        m.run_id,
        m.epochs AS last,
        r.epochs_done > m.epochs OR (
            r.epochs_done = m.epochs AND r.epochs > m.epochs AND r.status NOT IN ('done', 'diverged')
            AND EXISTS (SELECT 1 FROM _checkpoint c WHERE c.run_id = r.id)
        ) AS beyond
    FROM _membership m
    JOIN _run r ON r.id = m.run_id
)
SELECT
    e.name || '@' || e.revision AS experiment,
    e.name,
    e.revision = (SELECT max(o.revision) FROM _experiment o WHERE o.name = e.name) AS newest,
    s.last AS target_epochs,
    r.run_id,
    r.run_key,
    iif(s.beyond, 'done', r.status) AS status,
    iif(s.beyond, 'horizon', r.outcome) AS outcome,
    r.data,
    r.loss,
    r.hidden,
    r.depth,
    r.activation,
    r.output,
    r.init,
    r.optimizer,
    r.learning_rate,
    r.batch_size,
    r.seed,
    min(r.epochs, s.last) AS epochs,
    iif(s.beyond, s.last, r.epochs_done) AS epochs_done,
    r.initial_loss,
    iif(s.beyond, z.loss, r.final_loss) AS final_loss,
    iif(
        s.beyond,
        (SELECT min(t.loss) FROM epochs t WHERE t.run_id = s.run_id AND t.epoch <= s.last),
        r.best_loss
    ) AS best_loss,
    iif(
        s.beyond,
        (
            SELECT t.epoch FROM epochs t
            WHERE t.run_id = s.run_id AND t.epoch <= s.last AND t.loss IS NOT NULL
            ORDER BY t.loss, t.epoch LIMIT 1
        ),
        r.best_epoch
    ) AS best_epoch,
    iif(s.beyond, z.accuracy, r.final_accuracy) AS final_accuracy,
    iif(s.beyond, z.mean_abs_error, r.final_mean_abs_error) AS final_mean_abs_error,
    iif(s.beyond, z.validation_loss, r.final_validation_loss) AS final_validation_loss,
    iif(s.beyond, z.validation_accuracy, r.final_validation_accuracy) AS final_validation_accuracy,
    iif(
        s.beyond,
        (SELECT min(t.validation_loss) FROM epochs t WHERE t.run_id = s.run_id AND t.epoch <= s.last),
        r.best_validation_loss
    ) AS best_validation_loss,
    iif(
        s.beyond,
        (
            SELECT t.epoch FROM epochs t
            WHERE t.run_id = s.run_id AND t.epoch <= s.last AND t.validation_loss IS NOT NULL
            ORDER BY t.validation_loss, t.epoch LIMIT 1
        ),
        r.best_validation_epoch
    ) AS best_validation_epoch,
    iif(s.beyond AND r.solved_epoch > s.last, NULL, r.solved_epoch) AS solved_epoch,
    iif(s.beyond, NULL, r.diverged_epoch) AS diverged_epoch,
    iif(s.beyond, NULL, r.diverged_layer) AS diverged_layer,
    iif(s.beyond, NULL, r.error) AS error,
    r.environment,
    r.environment_changed,
    r.created_at,
    iif(
        s.beyond,
        (SELECT min(g.committed_at) FROM _segment g WHERE g.run_id = s.run_id AND g.to_epoch >= s.last),
        r.finished_at
    ) AS finished_at,
    iif(
        s.beyond,
        (
            SELECT total(
                iif(
                    g.to_epoch <= s.last,
                    g.seconds,
                    g.seconds * (s.last - g.from_epoch) / (g.to_epoch - g.from_epoch)
                )
            ) FROM _segment g
            WHERE g.run_id = s.run_id AND (g.from_epoch < s.last OR g.to_epoch <= s.last)
        ),
        r.seconds
    ) AS seconds,
    r.data_digest,
    r.scaling,
    r.spec
FROM _experiment e
JOIN seen s ON s.experiment_id = e.id
JOIN runs r ON r.run_id = s.run_id
LEFT JOIN epochs z ON s.beyond AND z.run_id = s.run_id AND z.epoch = (
    SELECT max(t.epoch) FROM epochs t WHERE t.run_id = s.run_id AND t.epoch <= s.last
);

CREATE VIEW factors AS
SELECT
    e.name || '@' || e.revision AS experiment,
    f.run_id,
    f.name,
    a.label,
    f.value
FROM _experiment e
JOIN _factor f ON f.experiment_id = e.id
JOIN _axis a ON a.experiment_id = f.experiment_id AND a.name = f.name;

CREATE VIEW datasets AS
SELECT
    d.label AS data,
    d.digest,
    d.examples,
    d.inputs,
    d.targets,
    d.features,
    d.target_names,
    d.classes,
    (SELECT '[' || group_concat(s.content, ', ') || ']' FROM _scaling s WHERE s.dataset_id = d.id) AS scaling
FROM _dataset d;

CREATE VIEW schedules AS
SELECT
    s.name AS schedule,
    s.cron,
    s.timezone,
    s.fresh,
    s.missed,
    s.overlap,
    s.paused_at IS NOT NULL AS paused,
    s.cursor AS decided_until,
    s.report,
    s.created_at,
    s.document AS spec
FROM _schedule s;

CREATE VIEW occurrences AS
SELECT
    s.name AS schedule,
    o.instant,
    o.planned,
    o.decision,
    o.why,
    e.name || '@' || e.revision AS experiment,
    o.new_runs,
    o.decided_at,
    o.ended_at,
    o.met,
    o.report
FROM _occurrence o
JOIN _schedule s ON s.id = o.schedule_id
LEFT JOIN _experiment e ON e.id = o.experiment_id;
