"""`troop doctor`: what works here, what works less well, and what must be fixed.

| file | holds |
|---|---|
| `check.py` | `Finding` and `Check`; running checks at once, each within its time |
| `examination.py` | which checks there are, in the order in which people read them |
| `host.py` | Python, git, the terminal |
| `kernel.py` | what this machine's kernel gives to sandboxes; the local sandbox |
| `shared.py` | one connection to the engine, and what it says about itself, for all checks |
| `engine.py` | the engine: where, which, its storage and its limits |
| `walls.py` | what keeps a script in its container |
| `room.py` | cores, memory and disk that the engine has |
| `warm.py` | whether warm containers work |
| `images.py` | which of a dataset's images are here |
| `leftovers.py` | what Troop left in the engine |
| `model.py` | the model server |
| `database.py` | the database |

Each file gathers facts first; pure functions then judge them.
"""
