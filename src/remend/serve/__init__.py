"""The HTTP API and the page, behind `remend serve`; needs the extra ``remend[serve]``.

How a request goes: `security` (who asks) → `routes` → `uploads` (body to a private folder) → `desk`
(bounded queue, jobs, results) → `crew` (worker processes, each running `work`) → `replies`. Nothing of
a picture is decoded, hashed or encoded in the server's own process.
"""
