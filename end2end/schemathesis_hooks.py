"""What schemathesis has to know of the API besides the document."""

import schemathesis

# The bytes of an upload.
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
