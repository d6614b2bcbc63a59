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
