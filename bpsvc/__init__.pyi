from bpsvc.service.python import Training as Training
from bpsvc.service.python import report as report
from bpsvc.service.python import submit as submit
from bpsvc.service.python import train as train
from bpsvc.store import Store as Store
