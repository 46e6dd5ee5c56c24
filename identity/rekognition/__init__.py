"""Amazon Rekognition: the requests, how often they are made, and the engine."""
