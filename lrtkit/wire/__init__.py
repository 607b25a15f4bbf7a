"""The floor both ends stand on: errors, settings, messages, keys and the job record; boto3 and no more."""
