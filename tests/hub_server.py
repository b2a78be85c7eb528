"""A stand-in for the Hugging Face hub on loopback: the few routes that `huggingface_hub` calls for a small model."""
import base64
import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

TOKENS = {"hf_owner": "user", "hf_other": "other"}


@dataclass
class Repo:
    "A repository: its commits, each the content of all files by their names, the newest last."
    private: bool
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    def commit(self, files: dict[str, bytes], branch: str = "main") -> str:
        sha = hashlib.sha1(f"{len(self.commits)}{sorted(files)}".encode()).hexdigest()
        self.commits[sha], self.refs[branch] = files, sha
        return sha

    def sha(self, revision: str) -> str | None:
        return self.refs.get(revision, revision if revision in self.commits else None)


class HubServer:
    "`with HubServer() as hub:` it listens at `hub.url`, holds `hub.repos`, and keeps what was asked in `hub.asked`."
    def __init__(self): self.repos, self.asked = {}, []

    def __enter__(self):
        handler = type("Handler", (_Handler,), {"hub": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *args): pass

    def do_GET(self): self._answer()

    def do_HEAD(self): self._answer()

    def do_POST(self): self._answer()

    def _answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
        self.hub.asked.append(f"{self.command} /{'/'.join(parts)}")
        self.user = TOKENS.get((self.headers.get("Authorization") or "").removeprefix("Bearer "))
        if "Authorization" in self.headers and self.user is None: return self._send(401, {"error": "Invalid token"})
        if parts == ["api", "validate-yaml"]: return self._send(200, {"errors": [], "warnings": []})
        if parts == ["api", "repos", "create"]: return self._create(json.loads(body))
        if parts[:2] == ["api", "models"]: return self._model("/".join(parts[2:4]), parts[4:], body)
        if "resolve" in parts[2:3]: return self._file("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
        self._send(404, {"error": "no such route"})

    def _create(self, wanted: dict):
        name = f"{wanted.get('organization') or self.user}/{wanted['name']}"
        if self.user is None: return self._send(401, {"error": "Unauthorized"})
        if not name.startswith(f"{self.user}/"): return self._send(403, {"error": "Forbidden"})
        there = {"url": f"{self.hub.url}/{name}", "name": name}
        if name in self.hub.repos: return self._send(409, {"error": "You already created this model repo", **there})
        is_private = wanted.get("visibility") == "private" or bool(wanted.get("private"))
        self.hub.repos[name] = Repo(is_private)
        self.hub.repos[name].commit({".gitattributes": b"*.safetensors filter=lfs\n"})
        self._send(200, there)

    def _visible(self, name: str) -> Repo | None:
        repo = self.hub.repos.get(name)
        if repo is not None and (not repo.private or name.startswith(f"{self.user}/")): return repo
        self._send(404 if self.user else 401, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})

    def _model(self, name: str, rest: list[str], body: bytes):
        if (repo := self._visible(name)) is None: return
        action, revision = (rest + ["revision", "main"])[:2] if rest else ("revision", "main")
        if action in ("preupload", "commit"): return self._write(repo, name, action, revision, body)
        if (sha := repo.sha(revision)) is None:
            return self._send(404, {"error": "Invalid rev id"}, {"X-Error-Code": "RevisionNotFound"})
        files = repo.commits[sha]
        if action == "tree": return self._send(200, [_entry(path, files[path]) for path in sorted(files)])
        self._send(200, {"id": name, "modelId": name, "sha": sha, "private": repo.private, "tags": [],
                         "siblings": [{"rfilename": path} for path in sorted(files)]})

    def _write(self, repo: Repo, name: str, action: str, branch: str, body: bytes):
        if not name.startswith(f"{self.user}/"): return self._send(403, {"error": "Forbidden"})
        if action == "preupload":
            paths = [file["path"] for file in json.loads(body)["files"]]
            return self._send(200, {"files": [{"path": path, "uploadMode": "regular", "shouldIgnore": False}
                                              for path in paths]})
        files = dict(repo.commits[repo.refs["main"]])
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file": files[value["path"]] = base64.b64decode(value["content"])
            if line["key"] == "deletedFile": del files[value["path"]]
        sha = repo.commit(files, branch)
        self._send(200, {"success": True, "commitOid": sha, "commitUrl": f"{self.hub.url}/{name}/commit/{sha}"})

    def _file(self, name: str, revision: str, path: str):
        if (repo := self._visible(name)) is None: return
        sha = repo.sha(revision)
        content = repo.commits.get(sha, {}).get(path)
        if content is None: return self._send(404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound"})
        self._send(200, content, {"ETag": f'"{_blob(content)}"', "X-Repo-Commit": sha})

    def _send(self, status: int, content, headers: dict = {}):
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items(): self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD": self.wfile.write(data)


def _blob(content: bytes) -> str: return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _entry(path: str, content: bytes) -> dict:
    return {"type": "file", "path": path, "size": len(content), "oid": _blob(content)}
