"""Files of strangers, decoded in processes of their own: pictures, clips and their frames.

A decoder that crashes, hangs or takes too much memory costs one file, not the app.  Behind the
app's server the functions of `pictures` and `clips` ask a child process (`pool.use_children`);
elsewhere they are those of `estimators.media`.
"""
