"""The search for parameters: many trainings, each scored on the validation part.

request -> plan -> trials (asked for one by one, in a journal or a database) -> results -> best, replication.
Workers, which an executor starts, take trials from the storage; nothing else passes between processes.
Optuna is imported here alone. Nothing here opens the test part but the final evaluation of the best trial.
"""
