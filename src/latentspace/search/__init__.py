"""The search for parameters: many trainings, each judged on the validation part.

    ranges (a floor below)   what may be chosen from, as a recipe holds it
    space.py                 parameters -> Experiment (pure)
    combinations.py          what is left of a finite space
    sampling.py              which parameters next, and with which seeds
    storage.py, journal.py   where trials live: a journal file, or a database; notes.py: what is in it
    signs.py                 how one process knows that another's trial is alive
    plan.py                  the study directory and its study.json
    standing.py              where a search stands, for a person
    study.py                 the trials: asked for, counted, lost and run again
    trial.py                 one trial = a training that reports, and may be pruned
    memory.py                what keeps a worker from growing
    worker.py                a process that runs trials; workers.py: many of them on one study
    winner.py                the best parameters: a recipe, a full training, its test
    confirmation.py          how much of the lead is luck: the top trials over several seeds

Optuna is imported here alone. Nothing here opens the test part but the winner's evaluation.
"""
