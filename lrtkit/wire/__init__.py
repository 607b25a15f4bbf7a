"""What both ends must agree on: errors, settings, messages, keys and the job record, on boto3 and the standard library."""
