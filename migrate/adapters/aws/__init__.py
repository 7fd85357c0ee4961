"""AWS, one file a service, through boto3; everything but safety.py only reads."""
