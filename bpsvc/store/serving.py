"""When a run has what an experiment wants of it: one question, for the queue, progress, users' words and
schedules alike.
"""

from typing import Final

# Of a run `r` and a membership `m`: it stands at the experiment's last epoch or beyond. A run that has not
# begun stands nowhere, not even at epoch 0.
SERVED: Final = "(r.epochs_done >= m.epochs AND EXISTS (SELECT 1 FROM _checkpoint c WHERE c.run_id = r.id))"
