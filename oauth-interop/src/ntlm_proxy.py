# A proxy that opens tunnels for who shows by NTLM that they know a password. Port, log; accounts by NTLM_USER_FILE.
import base64, socket, socketserver, sys, threading

import spnego

NTLM = spnego.NegotiateOptions.use_ntlm


def log(line):
    with open(sys.argv[2], "a") as file:
        file.write(line + "\n")


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Connection(socketserver.BaseRequestHandler):
    def head(self):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = self.request.recv(1)
            if not byte:
                return None
            head += byte
        first, *lines = head.decode("ascii").split("\r\n")
        return first, dict(line.lower().split(":", 1)[:1] + [line.split(":", 1)[1].strip()] for line in lines if line)

    def deny(self, token, line):
        log(line)
        value = b"NTLM" if token is None else b"NTLM " + base64.b64encode(token)
        self.request.sendall(
            b"HTTP/1.1 407 Who are you\r\nProxy-Authenticate: " + value + b"\r\nContent-Length: 0\r\n\r\n"
        )

    def handle(self):
        # Who a connection belongs to is known of that connection alone.
        server = None
        while (head := self.head()) is not None:
            first, headers = head
            target = first.split(" ")[1]
            scheme, _, token = headers.get("proxy-authorization", "").partition(" ")
            if scheme != "NTLM":
                self.deny(None, f"ASKED {target}")
                continue
            try:
                server = server or spnego.server(protocol="ntlm", options=NTLM)
                token = server.step(base64.b64decode(token))
            except Exception as why:
                server = None
                self.deny(None, f"DENIED {target} {type(why).__name__}")
                continue
            if not server.complete:
                self.deny(token, f"CHALLENGED {target}")
                continue
            log(f"TUNNEL {target} {server.client_principal}")
            host, _, port = target.rpartition(":")
            with socket.create_connection((host, int(port))) as upstream:
                self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                threading.Thread(target=pump, args=(upstream, self.request), daemon=True).start()
                pump(self.request, upstream)
            return


class Proxy(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


open(sys.argv[2], "a").close()
Proxy(("127.0.0.1", int(sys.argv[1])), Connection).serve_forever()
