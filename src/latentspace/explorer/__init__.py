"""The explorer: the live latent space of a run's images, in a browser.

`Contents` makes what the page shows, as named binary files. A server hands them out (`server`), or one file
holds them all (`page`). The page itself is TypeScript, in `explorer/web/` of the repository; what is built of
it is in `static/`.
"""
