"""The audit: do lists leak into each other, is audio there twice, and can fakes be told by what no codec should change?"""
