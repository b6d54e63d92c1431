"""aiosmtpd: one controller for each `address=name` of HOSTS; ends with its process."""

import os
import signal
import ssl

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


class Named(Controller):
    def __init__(self, address, name, context):
        self.name, self.context = name, context
        super().__init__(object(), hostname=address, port=25)

    def factory(self):
        return SMTP(self.handler, hostname=self.name, tls_context=self.context, ident="ESMTP aiosmtpd")


context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(os.environ["CERT"], os.environ["KEY"])
for pair in os.environ["HOSTS"].split():
    Named(*pair.split("=", 1), context).start()
print("ready", flush=True)
signal.pause()
