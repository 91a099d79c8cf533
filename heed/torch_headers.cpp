// Only here so that the precompiled torch headers have a target to belong to.
